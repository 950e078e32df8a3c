"""A report of the doctor on a terminal, or for programs; and the line that tells what is being looked at."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import NoReturn

from berth.cli.manner import redaction
from berth.cli.output import Styled, print_data, say
from berth.cli.tables import overwrite
from berth.cli.wrapping import is_terminal
from berth.doctor.run import Progress
from berth.findings.finding import Report
from berth.findings.render import Line, Style
from berth.findings.render import say as lines_of
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
    wanted = redaction()
    report = report if wanted is None else wanted.report(report)
    if output == "table":
        print_lines(lines_of(report, lang, nothing))
    else:
        print_data(report.as_dict(), output)
    raise SystemExit(report.exit_code)


def print_lines(lines: Iterable[Line]) -> None:
    """The lines on a terminal, in their colours."""
    for line in lines:
        colour = _COLOURS[line.style]
        if line.place:
            say(line.place, Styled(line.label, colour), line.text)
        elif line.label:
            say(Styled(line.label, colour), "  ", line.text)
        else:
            say(Styled(line.text, colour))


def progress_line(lang: Language) -> Progress | None:
    """Keeps a line on a terminal's stderr while checks run, and wipes it away after the last; None elsewhere."""
    if not is_terminal(sys.stderr):
        return None

    def tell(done: int, total: int, looking: Sequence[str]) -> None:
        overwrite(_LOOKING.said(lang).format(done, total, ", ".join(looking)) if looking else "")

    return tell
