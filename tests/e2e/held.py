"""Runs a program with one point at which it can be held: `python held.py FOLDER PROGRAM ARGUMENTS`.

While FOLDER/armed is there, a thread of a mounted share that is about to ask whether it may do what can't be taken back
makes FOLDER/held and waits until somebody writes into FOLDER/go, a pipe. The program itself knows nothing of it.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

from berth.shares.mounted.openat import Root

really_allow = Root.allow


def hold(folder: Path) -> None:
    """From now on, as the module's text says."""

    def allow(self: Root) -> None:
        if (folder / "armed").exists():
            (folder / "held").touch()
            with open(folder / "go", "rb") as go:
                go.read(1)
        really_allow(self)

    Root.allow = allow  # type: ignore[method-assign]


if __name__ == "__main__":
    hold(Path(sys.argv[1]))
    sys.argv = sys.argv[2:]
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    runpy.run_path(sys.argv[0], run_name="__main__")
