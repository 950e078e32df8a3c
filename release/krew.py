"""The plugin `kubectl berth` for krew: an archive for each machine, and berth.yaml, which names them by their hashes.

By krew's rules (kubernetes-sigs/krew: pkg/index/validation, internal/download): the manifest's file is called as the
plugin, an archive holds folders and plain files alone, and the licence is among them.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from berth.manifests.yaml_text import to_yaml
from berth.settings.home import Home
from release import tree
from release.labels import SUMMARY, version
from release.machines import Machine

MANIFEST = "berth.yaml"
_LICENCE = Path(__file__).parent.parent / "LICENSE"
_HEAD = """\
# For krew: kubectl krew install --manifest=berth.yaml --archive=berth-{version}-linux-amd64.tar.gz
"""
_DESCRIPTION = """\
Every claim gets its own directory on an NFS server, safely, fast, and with a
plain explanation whenever it can't. Installs Berth, takes over from older
provisioners, sets up and checks NFS servers, and finds out what is wrong.
"""


def archive(command: Path) -> Path:
    """Writes the archive of a machine's command beside it."""
    target = command.with_name(f"{command.name}.tar.gz")
    with tempfile.TemporaryDirectory(dir=command.parent, prefix=".krew-") as work:
        files, plain = Path(work, "files"), Path(work, "plain.tar")
        files.mkdir()
        shutil.copy(command, files / "berth")
        shutil.copyfile(_LICENCE, files / "LICENSE")
        with plain.open("wb") as sink:
            tree.pack(files, sink)
        tree.compress(plain, target)
    return target


def manifest(archives: Mapping[Machine, Path], folder: Path, home: Home) -> None:
    """Writes berth.yaml into folder. Where home names no page of downloads, krew has to be told of the archive."""
    spec: dict[str, Any] = {"version": f"v{version()}"}
    if home.sources:
        spec["homepage"] = home.sources
    spec |= {"shortDescription": SUMMARY, "description": _DESCRIPTION}
    spec["platforms"] = [_platform(machine, path, home.downloads) for machine, path in archives.items()]
    plugin = {
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": "berth"},
        "spec": spec,
    }
    (folder / MANIFEST).write_text(_HEAD.format(version=version()) + to_yaml([plugin]).removeprefix("---\n"))


def _platform(machine: Machine, path: Path, downloads: str) -> dict[str, Any]:
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {
        "selector": {"matchLabels": {"os": "linux", "arch": machine.name}},
        "uri": f"{downloads.rstrip('/')}/{path.name}" if downloads else path.name,
        "sha256": digest,
        "files": [{"from": name, "to": "."} for name in ("berth", "LICENSE")],
        "bin": "berth",
    }
