"""Berth's own wheel and sources, as pip and pipx take them."""

from __future__ import annotations

import email.parser
import email.policy
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from berth import __version__
from release import wheels

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    return wheels.build(folder, folder / "log")


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources, made of this checkout."""
    folder = tmp_path_factory.mktemp("sdist")
    return wheels.sdist(folder, folder / "log")


def test_they_are_called_berth_nfs_and_say_what_they_are(wheel: Path, sdist: Path) -> None:
    assert wheel.name == f"berth_nfs-{__version__}-py3-none-any.whl"
    assert sdist.name == f"berth_nfs-{__version__}.tar.gz"
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"berth_nfs-{__version__}.dist-info/METADATA").decode()
        assert f"berth_nfs-{__version__}.dist-info/licenses/LICENSE" in archive.namelist()
    metadata = email.parser.Parser(policy=email.policy.default).parsestr(text)
    told = {name: metadata[name] for name in ("Name", "License-Expression", "License-File", "Requires-Python")}
    assert told == {
        "Name": "berth-nfs", "License-Expression": "Apache-2.0", "License-File": "LICENSE", "Requires-Python": ">=3.11",
    }  # fmt: skip
    assert "Operating System :: POSIX :: Linux" in metadata.get_all("Classifier", [])


def test_the_same_sources_give_the_same_bytes_whatever_the_umask(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        again = wheels.build(tmp_path / "wheel", tmp_path / "log"), wheels.sdist(tmp_path / "sdist", tmp_path / "log")
    finally:
        os.umask(before)
    assert [one.read_bytes() for one in again] == [wheel.read_bytes(), sdist.read_bytes()]


def test_the_sources_hold_all_that_the_wheel_does(wheel: Path, sdist: Path) -> None:
    with zipfile.ZipFile(wheel) as built, tarfile.open(sdist) as sources:
        top = f"berth_nfs-{__version__}"
        held = {name.removeprefix(f"{top}/src/") for name in sources.getnames()}
        assert {name for name in built.namelist() if name.startswith("berth/")} <= held
        assert {f"{top}/{name}" for name in ("LICENSE", "PKG-INFO", "README.md", "pyproject.toml")} <= {
            *sources.getnames()
        }


def test_installed_it_is_the_command_berth(wheel: Path, tmp_path: Path) -> None:
    command = [*wheels.pip(), "install", "--no-index", "--no-deps", "--target", str(tmp_path / "site"), str(wheel)]
    subprocess.run(command, check=True, timeout=120)
    for name in ("berth", "kubectl-berth"):
        told = subprocess.run(
            [sys.executable, str(tmp_path / "site/bin" / name), "--version"],
            env={"PYTHONPATH": str(tmp_path / "site")}, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert (told.stdout, told.stderr) == (f"berth {__version__}\n", "")
