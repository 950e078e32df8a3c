"""What people see: progress while it runs, and the table at the end."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.results import Measured, Results

_MARKS = {True: "[green]ok[/]", False: "[bold red]MISSED[/]", None: ""}


class Report:
    """Writes to the terminal."""

    def __init__(self) -> None:
        # Where it is no terminal, the lines of the table stay whole.
        self._console = Console(highlight=False, width=None if sys.stdout.isatty() else 130)

    def say(self, text: str) -> None:
        """One line of progress."""
        self._console.print(text, markup=False, soft_wrap=True)

    def table(self, results: Results, machine: Mapping[str, Any], sizes: Mapping[str, Any], *, is_judged: bool) -> None:
        """All that was measured, with the targets, and (is_judged) whether they are met."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("figure", "measured", "unit", "min - max", "target", "", "reference (Go)"):
            table.add_column(name, justify="right" if name in ("measured", "min - max", "target") else "left")
        for measured in results.measured():
            table.add_row(*_row(measured, sizes, is_judged))
        self._console.print()
        self._console.print(table)
        self._console.print()
        cores, versions = (
            f"{machine['cores']} of {machine['cores_there']} cores used",
            ("kubernetes", "python", "berth"),
        )
        told = ", ".join(f"{name.capitalize()} {machine[name]}" for name in versions)
        self.say(f"{machine['cpu']}, {cores}, load {machine['load']} before; {told}")
        for remark in results.remarks:
            self.say(f"- {remark}")


def _row(measured: Measured, sizes: Mapping[str, Any], is_judged: bool) -> tuple[str, ...]:
    figure, samples = measured.figure, measured.samples
    spread = f"{min(samples):,.{figure.digits}f} - {max(samples):,.{figure.digits}f}" if len(samples) > 1 else ""
    value = f"{measured.value:,.{figure.digits}f}"
    verdict = _MARKS[measured.is_good if is_judged else None]
    return figure.title.format(**sizes), value, figure.unit, spread, figure.target, verdict, figure.reference
