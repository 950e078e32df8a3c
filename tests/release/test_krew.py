"""`kubectl berth` by krew: the manifest keeps krew's rules, and what it names is installed as krew does it.

krew itself is not run. The rules are those of its sources (kubernetes-sigs/krew: pkg/index/validation/validate.go,
cmd/validate-krew-manifest, internal/download, internal/installation), written down here once more.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from berth import __version__
from berth.settings.home import Home
from devcluster import binaries
from release import krew
from release.machines import AMD64, ARM64, MACHINES, native

pytestmark = pytest.mark.slow

SEMVER = re.compile(r"v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")


@pytest.fixture(scope="module")
def archive(berth_command: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This machine's archive."""
    command = tmp_path_factory.mktemp("krew") / f"berth-{__version__}-linux-{native().name}"
    shutil.copy(berth_command, command)
    return krew.archive(command)


def written(folder: Path, archives: dict[Any, Path], home: Home) -> Any:
    """The manifest."""
    krew.manifest(archives, folder, home)
    return yaml.safe_load((folder / krew.MANIFEST).read_text())


def install(plugin: Any, archive: Path, root: Path) -> Path:
    """Installs as krew does with --manifest and --archive; returns the folder that is to be in PATH."""
    (platform,) = (
        one for one in plugin["spec"]["platforms"] if one["selector"]["matchLabels"]["arch"] == native().name
    )
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == platform["sha256"]
    staging, store = root / "staging", root / "store/berth" / plugin["spec"]["version"]
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            assert member.isfile() or member.isdir(), f"krew unpacks no {member.name}"
            assert ".." not in member.name
            assert not member.name.startswith(("/", "\\"))
        tar.extractall(staging)
    store.mkdir(parents=True)
    for operation in platform["files"]:
        assert os.path.normpath(operation["to"]) == operation["to"]
        (found,) = staging.glob(operation["from"])
        shutil.move(found, store / operation["to"] / found.name)
    (root / "bin").mkdir()
    (root / "bin/kubectl-berth").symlink_to(os.path.relpath(store / platform["bin"], root / "bin"))
    return root / "bin"


def test_the_manifest_keeps_krews_rules(tmp_path: Path) -> None:
    archives = {}
    for machine in MACHINES:
        archives[machine] = tmp_path / f"berth-{__version__}-linux-{machine.name}.tar.gz"
        archives[machine].write_text(machine.name)
    home = Home(downloads="https://downloads.example.com/berth/", sources="https://git.example.com/berth")
    plugin = written(tmp_path, archives, home)
    assert (plugin["apiVersion"], plugin["kind"]) == ("krew.googlecontainertools.github.com/v1alpha2", "Plugin")
    assert plugin["metadata"]["name"] == Path(krew.MANIFEST).stem == "berth"
    spec = plugin["spec"]
    assert SEMVER.fullmatch(spec["version"])
    assert spec["homepage"] == "https://git.example.com/berth"
    assert re.fullmatch(".{1,70}", spec["shortDescription"])
    assert max(map(len, spec["description"].splitlines())) <= 80
    assert [one["selector"] for one in spec["platforms"]] == [
        {"matchLabels": {"os": "linux", "arch": machine.name}} for machine in (AMD64, ARM64)
    ]
    for machine, platform in zip(MACHINES, spec["platforms"], strict=True):
        assert platform["uri"] == f"https://downloads.example.com/berth/berth-{__version__}-linux-{machine.name}.tar.gz"
        assert platform["sha256"] == hashlib.sha256(machine.name.encode()).hexdigest()
        assert platform["bin"] in [operation["from"] for operation in platform["files"]]


def test_kubectl_runs_what_was_installed(archive: Path, tmp_path: Path) -> None:
    plugin = written(tmp_path, {native(): archive}, Home())
    assert plugin["spec"]["platforms"][0]["uri"] == archive.name, "krew wants one, and takes --archive"
    folder = install(plugin, archive, tmp_path / "krew")
    assert (
        (folder.parent / "store/berth" / f"v{__version__}" / "LICENSE")
        .read_text()
        .lstrip()
        .startswith("Apache License")
    )
    told = subprocess.run(
        [binaries.find().kubectl, "berth", "--version"],
        env={"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (told.returncode, told.stdout, told.stderr) == (0, f"berth {__version__}\n", "")


def test_the_archive_has_the_same_bytes_each_time(archive: Path, berth_command: Path, tmp_path: Path) -> None:
    again = tmp_path / f"berth-{__version__}-linux-{native().name}"
    shutil.copy(berth_command, again)
    assert krew.archive(again).read_bytes() == archive.read_bytes()
