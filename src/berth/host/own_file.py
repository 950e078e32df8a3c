"""The file that this command is, where it is the one that needs nothing else (release/command.py): it can be copied to
another host as it is, and what was downloaded with it lies beside it.
"""

from __future__ import annotations

from pathlib import Path

_started: list[Path] = []


def note_start(file: str) -> None:
    """Called by what starts that command, with its file as the shell was given it; empty where it is no such file."""
    _started[:] = [Path(file).absolute()] if file else []


def own_file() -> Path | None:
    """That file; None for Berth as a package of Python or of a distribution, and in its image."""
    return next(iter(_started), None)
