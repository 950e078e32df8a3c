"""This machine's root, made once for all tests that pack it."""

from __future__ import annotations

from pathlib import Path

import pytest

from release import command, root, sbom
from release.machines import native


@pytest.fixture(scope="session")
def native_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of this machine's kind, made of this checkout."""
    folder = tmp_path_factory.mktemp("root")
    log = tmp_path_factory.mktemp("log") / "log"
    root.make(native(), folder, log)
    sbom.write(native(), folder, log)
    return folder


@pytest.fixture(scope="session")
def berth_command(native_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command that needs nothing, made of that root."""
    target = tmp_path_factory.mktemp("command") / "berth"
    command.make(native(), native_root, target)
    return target
