"""Which archives are meant where nobody names one: those that were downloaded with this command."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path

from berth import __version__
from berth.host.own_file import own_file
from berth.images.errors import ArchiveError
from berth.images.texts import say

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_ALL = f"berth-{__version__}-image.tar"
_CHART = f"berth-chart-{__version__}.tgz"


def this_machine() -> str:
    """The kind of this machine, as OCI calls it."""
    return _MACHINES.get(platform.machine(), platform.machine())


def to_push() -> Path:
    """The archive for every machine, else one that is for a single one. ArchiveError where there is none."""
    return _first(_ALL, *(f"berth-{__version__}-image-{one}.tar" for one in (this_machine(), *_MACHINES.values())))


def to_load() -> Path:
    """The archive for this machine, else that for every one. ArchiveError where there is none."""
    return _first(f"berth-{__version__}-image-{this_machine()}.tar", _ALL)


def chart_beside(archive: Path) -> Path | None:
    """The chart's archive that was downloaded with that of the image; None where there is none."""
    chart = archive.parent / _CHART
    return chart if os.path.isfile(chart) else None


def _first(*names: str) -> Path:
    command = own_file()
    folders = [command.resolve().parent] if command else []
    with suppress(OSError):  # the current folder may be gone
        folders.append(Path.cwd())
    for path in (folder / name for name in names for folder in folders):
        if os.path.isfile(path):
            return path
    raise ArchiveError(say("archive.none", name=names[0], folders=list(dict.fromkeys(map(str, folders))) or ["-"]))
