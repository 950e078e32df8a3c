"""What released versions left behind: on a share, and in a cluster. Kept for ever, see write.py."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import yaml

from berth.volumes.share import ShareAddress

ADDRESS = ShareAddress("nfs.example", "/srv")
"""Where the share is, as all objects have it."""
FIXTURES = Path(__file__).parent.parent / "fixtures"
SHARE, OBJECTS = "share.tar.xz", "objects.yaml"
VERSIONS = sorted(path.name for path in FIXTURES.iterdir() if (path / SHARE).exists()) if FIXTURES.exists() else []


def unpack(version: str, into: Path) -> None:
    """The share as that version left it."""
    with tarfile.open(FIXTURES / version / SHARE) as packed:
        packed.extractall(into, filter="tar")


def objects(version: str) -> list[dict[str, Any]]:
    """What the API server had."""
    return list(yaml.safe_load_all((FIXTURES / version / OBJECTS).read_text()))
