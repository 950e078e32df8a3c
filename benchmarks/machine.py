"""The machine that figures come from."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from benchmarks import calibration
from berth import __version__
from devcluster import binaries

CORES = 2
"""What the targets are about. A larger machine is used in part only."""


def use_cores(count: int) -> None:
    """Keeps this process, and all that it starts from here on, on so many cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def describe() -> dict[str, Any]:
    """Facts that somebody who compares figures wants to know."""
    pages, page = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "cores_there": os.cpu_count(),
        "memory_gb": round(pages * page / 1e9, 1),
        "calibration_ms": round(calibration.measure(), 3),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "kubernetes": ".".join(map(str, binaries.version_of(binaries.find().apiserver))),
        "berth": __version__,
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
