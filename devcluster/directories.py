"""Temporary directories that don't pile up: each names its owner, and what dead owners left is cleared away."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from devcluster.identity import Identity, identify

_OWNER = "owner"
_PREFIX = "berth-"


def make(kind: str) -> Path:
    """A new temporary directory `berth-<kind>-…`; what killed processes have left of earlier ones is removed."""
    _sweep()
    directory = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{kind}-"))
    # Squashed clients of an NFS server must get through to what is exported below it.
    directory.chmod(0o755)
    us = identify(os.getpid())
    if us is not None:
        (directory / _OWNER).write_text(f"{us.pid} {us.started}\n")
    return directory


def leave(directory: Path) -> None:
    """Our end no longer makes the directory fair game: somebody else will remove it."""
    (directory / _OWNER).unlink(missing_ok=True)


def _sweep() -> None:
    for owner in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_OWNER}"):
        try:
            pid, started = owner.read_text().split()
            is_dead = owner.stat().st_uid == os.geteuid() and not Identity(int(pid), int(started)).is_alive
        except (OSError, ValueError):
            continue  # being made, or being removed, or not ours to judge
        if is_dead:
            shutil.rmtree(owner.parent, ignore_errors=True)
