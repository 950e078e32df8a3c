"""What people see: progress while it runs, and the tables at the end. Lines have at most 60 characters, or 80 with the
spread where there is room for it.
"""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping
from typing import Any

from benchmarks.results import Measured, Results

NARROW, WIDE = 60, 80


class Report:
    """Writes to the terminal."""

    def __init__(self, width: int = 0) -> None:
        """width: of the terminal; 0: what it is."""
        self._is_wide = (width or shutil.get_terminal_size((WIDE, 24)).columns) >= WIDE

    def say(self, text: str) -> None:
        """One line of progress."""
        print(text, flush=True)

    def tables(self, results: Results, machine: Mapping[str, Any], *, is_judged: bool) -> None:
        """What holds anywhere, with the targets and (is_judged) whether they are met; then this machine's rates."""
        self.say("\n" + "\n".join(self.lines(results, machine, is_judged=is_judged)))

    def lines(self, results: Results, machine: Mapping[str, Any], *, is_judged: bool) -> list[str]:
        """The tables."""
        width = WIDE if self._is_wide else NARROW
        measured = results.measured()
        busy = machine["others_percent"]
        here = f"On this machine, others using up to {busy:.0f} % of it (not judged)"
        lines = [self._line("Anywhere", "measured", "", "min-max", "target", "")]
        for each in measured:
            if each.figure.is_portable:
                lines += [self._row(each, is_judged), *_told(each, width)]
        lines += ["", here]
        lines += [self._row(each, is_judged) for each in measured if not each.figure.is_portable]
        about = (
            f"{machine['cpu']}, {machine['cores']} of {machine['cores_there']} cores, a standard core's 10 ms took "
            f"{machine['calibration_ms']:.1f}; Kubernetes {machine['kubernetes']}, Python {machine['python']}, "
            f"Berth {machine['berth']}"
        )
        lines += ["", *textwrap.wrap(about, width)]
        if results.was_busy:
            why = "The machine was busy: ratios of times are not judged, and CPU times are worth less."
            lines += textwrap.wrap(why, width)
        return lines

    def _row(self, measured: Measured, is_judged: bool) -> str:
        figure, samples = measured.figure, measured.samples
        spread = f"{min(samples):,.{figure.digits}f}-{max(samples):,.{figure.digits}f}" if len(samples) > 1 else ""
        value = f"{measured.value:,.{figure.digits}f}"
        return self._line(
            figure.title, value, figure.unit, spread, figure.target, measured.verdict if is_judged else ""
        )

    def _line(self, title: str, value: str, unit: str, spread: str, target: str, verdict: str) -> str:
        middle = f" {spread:>18}" if self._is_wide else ""
        return f"{title:<31} {value:>8} {unit:<2}{middle} {target:>8} {verdict}".rstrip()


def _told(measured: Measured, width: int) -> list[str]:
    """What a figure is the sum of."""
    text = ", ".join(f"{name} {value:.2f}" for name, value in measured.parts.items())
    return textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
