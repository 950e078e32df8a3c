"""The command `berth` as people and Deployments run it: as a process, with an environment of a test's own making."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PROGRAM = Path(sys.executable).parent / "berth"


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the tester's own Kubernetes or Berth in it."""
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", **more}


def berth(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs berth to its end."""
    return subprocess.run(
        [str(PROGRAM), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(settings),
        stdin=subprocess.DEVNULL,
    )
