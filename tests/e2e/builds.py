"""Two builds of Berth side by side: a released one, and what this checkout would become next."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

import berth
from berth import __version__
from tests.e2e.controller import PROGRAM
from tests.upgrade.fixture import VERSIONS

HERE = Path(berth.__file__).resolve().parent
RELEASED = VERSIONS
"""All versions, each as its tag `v…` has it; the one that this checkout still is, as it is here."""


def released(version: str, into: Path) -> dict[str, str]:
    """The environment in which `berth` is that version. Skips where git does not know it."""
    if version == __version__:
        return _checked(HERE.parent, version)
    argv = ["git", "-C", str(HERE), "archive", f"v{version}:src/berth"]
    done = subprocess.run(argv, capture_output=True, timeout=60, check=False)
    if done.returncode:
        pytest.skip(f"no tag v{version} here: {done.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as sources:
        sources.extractall(into / "berth", filter="data")
    return _checked(into, version)


def following(into: Path) -> dict[str, str]:
    """The environment in which `berth` is what is here, under a version of its own."""
    shutil.copytree(HERE, into / "berth", ignore=shutil.ignore_patterns("__pycache__"))
    file = into / "berth" / "__init__.py"
    version = f"{__version__}.post1"
    text, found = re.subn(r'(?m)^__version__ = ".*"$', f'__version__ = "{version}"', file.read_text())
    assert found == 1
    file.write_text(text)
    return _checked(into, version)


def _checked(path: Path, version: str) -> dict[str, str]:
    environment = {"PYTHONPATH": str(path)}
    argv = [str(PROGRAM), "--version"]
    told = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout == f"berth {version}\n"
    return environment
