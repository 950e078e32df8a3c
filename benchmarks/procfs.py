"""Memory and CPU time of a running process, as Linux counts them."""

from __future__ import annotations

import os
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """CPU time so far, in user and in kernel mode, all threads together."""
    # The second field, the command's name in brackets, may hold anything, brackets and blanks included.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK


def resident_mb(pid: int) -> float:
    """Resident memory now, in MB (10^6 bytes)."""
    return _status_mb(pid, "VmRSS")


def peak_resident_mb(pid: int) -> float:
    """The most resident memory that the process ever had, in MB."""
    return _status_mb(pid, "VmHWM")


def forget_peak() -> None:
    """This process's peak_resident_mb starts anew, at what it has now."""
    Path("/proc/self/clear_refs").write_text("5")


def _status_mb(pid: int, field: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024 / 1e6
    raise ValueError(f"process {pid} has no {field}")
