"""A report of the doctor on a terminal, or for programs; and the line that tells what is being looked at."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from typing import NoReturn

import yaml
from rich.cells import cell_len, set_cell_size

from berth.cli.tables import say, styled
from berth.doctor.finding import Report
from berth.doctor.run import Progress
from berth.doctor.say import Style
from berth.doctor.say import say as lines_of
from berth.texts.text import Language, Text

_COLOURS: dict[Style, str] = {
    "failure": "red",
    "warning": "yellow",
    "note": "cyan",
    "command": "bold",
    "faint": "dim",
    "good": "green",
    "plain": "",
}
_LOOKING = Text("looking, {} of {} done: {}", "正在检查，已完成 {}/{}：{}")


def answer(report: Report, output: str, lang: Language, nothing: Text) -> NoReturn:
    """Prints the report and ends the process with its exit code. nothing: what to say when all is well."""
    if output == "text":
        for line in lines_of(report, lang, nothing):
            colour = _COLOURS[line.style]
            say(f"{styled(line.label, colour)}  {line.text}" if line.label else styled(line.text, colour))
    else:
        print_data(report.as_dict(), output)
    raise SystemExit(report.exit_code)


def print_data(content: object, output: str) -> None:
    """Content as JSON or YAML."""
    if output == "yaml":
        say(yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=10_000).rstrip())
    else:
        say(json.dumps(content, indent=2, ensure_ascii=False))


def progress_line(lang: Language) -> Progress | None:
    """Keeps a line on a terminal's stderr while checks run, and wipes it away after the last; None elsewhere."""
    if not sys.stderr.isatty():
        return None

    def tell(done: int, total: int, looking: Sequence[str]) -> None:
        text = _LOOKING.said(lang).format(done, total, ", ".join(looking)) if looking else ""
        width = shutil.get_terminal_size().columns - 1
        print(f"\r\x1b[K{set_cell_size(text, min(width, cell_len(text)))}", end="", file=sys.stderr, flush=True)  # noqa: T201

    return tell
