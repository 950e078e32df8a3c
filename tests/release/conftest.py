"""This machine's root, made once for all tests that pack it."""

from __future__ import annotations

from pathlib import Path

import pytest

from release import command, root
from release.machines import native


@pytest.fixture(scope="session")
def native_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of this machine's kind, made of this checkout."""
    folder = tmp_path_factory.mktemp("root")
    root.make(native(), folder, tmp_path_factory.mktemp("log") / "log")
    return folder


@pytest.fixture(scope="session")
def berth_command(native_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command that needs nothing, made of that root."""
    target = tmp_path_factory.mktemp("command") / "berth"
    command.make(native(), native_root, target)
    return target
