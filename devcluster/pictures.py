"""`make pictures`: what `make demo` shows on a terminal, as SVG for README, in both languages and colour schemes.

Each is recorded from a real run. What differs from run to run, the PV's name, is replaced by one that might as well
have been there, so that the same Berth makes the same bytes. No font is fetched: a viewer's own is fitted to the
columns. (rich can write SVG, too, but squeezes Chinese into half of its columns.)
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path

from rich.cells import cell_len
from rich.color import Color
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text as Styled

from berth.texts.text import Language
from devcluster.stage import COLOUR, StepFailed, on_terminal

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "pictures"
LANGUAGES: tuple[Language, ...] = ("en", "zh")
WIDTH = 84
"""Columns of the terminal that is recorded."""
FROM, TO = "$ kubectl describe", "demo4nfs   Bound"
"""The first and the last line of the demo that the picture shows."""

_PV = re.compile(r"pvc-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_STEADY_PV = "pvc-0b1e7f6a-3c52-4d8e-9a41-5f0c6d2e8b97"
_CELL, _LINE, _SIZE, _EDGE = 8.4, 20, 14, 16
"""Pixels: a column, a line, the letters, what is free around the text."""
_FONTS = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Noto Sans Mono CJK SC',monospace"
_PAPER = [(31, 35, 40), (207, 34, 46), (17, 99, 41), (124, 78, 0), (9, 105, 218), (130, 80, 223), (5, 99, 110)]
_NIGHT = [(72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34), (88, 166, 255), (188, 140, 255), (57, 197, 207)]


@dataclass(frozen=True, slots=True)
class Scheme:
    """The colours of a picture. edge: of the line around it; faint: of what is told by the way."""

    theme: TerminalTheme
    edge: str
    faint: str


SCHEMES = {
    "light": Scheme(TerminalTheme((255, 255, 255), (31, 35, 40), [*_PAPER, (31, 35, 40)]), "#d1d9e0", "#59636e"),
    "dark": Scheme(TerminalTheme((13, 17, 23), (230, 237, 243), [*_NIGHT, (230, 237, 243)]), "#3d444d", "#9198a1"),
}


def main() -> int:
    """Writes all pictures. 0: they are there; 1: the demo failed, in its own words."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        for language in LANGUAGES:
            for name, picture in pictures(recorded(language), language).items():
                (FOLDER / name).write_text(picture, encoding="utf-8")
                print(f"docs/pictures/{name}: {len(picture.encode())} bytes", flush=True)
    except StepFailed as error:
        print(f"pictures: {error}", file=sys.stderr)
        return 1
    return 0


def recorded(language: Language) -> list[str]:
    """The lines that the demo writes to a terminal, with their colours. StepFailed with its words when it fails."""
    environment = {**os.environ, "DEMO_LANG": language, "KEEP": "", "NO_COLOR": "", "TERM": "xterm"}
    environment.pop("COLUMNS", None)  # it would count before the terminal
    said, code = on_terminal([sys.executable, "-m", "devcluster.demo"], ROOT, environment, WIDTH)
    if code:
        raise StepFailed(said.strip())
    return said.splitlines()


def pictures(lines: Sequence[str], language: Language) -> dict[str, str]:
    """The picture of a run in each colour scheme, by its file's name."""
    shown = list(_scene(lines))
    return {f"doctor.{language}.{name}.svg": _picture(shown, scheme) for name, scheme in SCHEMES.items()}


def _scene(lines: Sequence[str]) -> Iterator[str]:
    """What is shown of a run, and the same in each."""
    plain = [COLOUR.sub("", line) for line in lines]
    first = next(at for at, line in enumerate(plain) if line.startswith(FROM))
    last = next(at for at, line in enumerate(plain) if line.startswith(TO))
    yield from (_PV.sub(_STEADY_PV, line) for line in lines[first : last + 1])


def _picture(lines: Sequence[str], scheme: Scheme) -> str:
    console = Console(width=WIDTH, color_system="standard", force_terminal=True, legacy_windows=False)
    text = Styled("\n").join(Styled.from_ansi(line) for line in lines)
    text.overflow = "fold"
    rows = console.render_lines(text, pad=False)
    width, height = round(WIDTH * _CELL + 2 * _EDGE), len(rows) * _LINE + 2 * _EDGE
    theme = scheme.theme
    body = "\n".join(_row(row, _EDGE + _LINE * (at + 0.75), scheme) for at, row in enumerate(rows) if row)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" '
        f'fill="{theme.background_color.hex}" stroke="{scheme.edge}"/>\n'
        f'<g font-family="{_FONTS}" font-size="{_SIZE}" fill="{theme.foreground_color.hex}" '
        f'xml:space="preserve">\n{body}\n</g>\n</svg>\n'
    )


def _row(row: Sequence[Segment], y: float, scheme: Scheme) -> str:
    """One line: each run of letters of one width and one style at its column, as wide as its columns."""
    said, column = "", 0
    for segment in row:
        for is_wide, letters in groupby(segment.text, key=lambda letter: cell_len(letter) > 1):
            run = "".join(letters)
            cells = len(run) * (2 if is_wide else 1)
            lead = len(run) - len(run.lstrip())
            if shown := run.strip():
                x, wide = _EDGE + (column + lead) * _CELL, cell_len(shown) * _CELL
                ink = _ink(segment.style or Style(), scheme)
                said += f'<text x="{x:g}" y="{y:g}" textLength="{wide:g}"{ink}>{escape(shown, quote=False)}</text>'
            column += cells
    return said


def _ink(style: Style, scheme: Scheme) -> str:
    colour = style.color or Color.default()
    said = "" if colour.is_default else f' fill="{colour.get_truecolor(scheme.theme).hex}"'
    if style.dim:
        said = f' fill="{scheme.faint}"'
    return f'{said} font-weight="bold"' if style.bold else said


if __name__ == "__main__":
    sys.exit(main())
