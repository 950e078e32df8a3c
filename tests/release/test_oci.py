"""The image archive: programs import it under the name by which a kubelet looks for it."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from release.oci import Layout


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("berth:0.1.0", "docker.io/library/berth:0.1.0"),
        ("storage/berth:0.1.0", "docker.io/storage/berth:0.1.0"),
        ("localhost/berth:dev", "localhost/berth:dev"),
        ("registry.example.com:5000/berth:1", "registry.example.com:5000/berth:1"),
    ],
)
def test_containerd_is_told_the_full_name(tmp_path: Path, name: str, full: str) -> None:
    folder = tmp_path / "layout"
    folder.mkdir()
    Layout(folder).write(tmp_path / "image.tar", name)
    with tarfile.open(tmp_path / "image.tar") as archive:
        index = archive.extractfile("index.json")
        assert index is not None
        (top,) = json.load(index)["manifests"]
    assert top["annotations"]["io.containerd.image.name"] == full
    assert top["annotations"]["org.opencontainers.image.ref.name"] == name
