"""What the image says of itself, by the keys of the OCI Image Format Specification (annotations)."""

from __future__ import annotations

import tomllib
from pathlib import Path

SUMMARY = "NFS storage for Kubernetes and KubeSphere"
_PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def version() -> str:
    """Berth's version, of this checkout."""
    return str(_project()["version"])


def labels() -> dict[str, str]:
    """Labels of the image, which its manifests have as annotations."""
    from berth.settings.home import HOME  # known once Berth is installed, which what sets that up can't wait for

    told = {"description": str(_project()["description"]), "licenses": "Apache-2.0", "title": "Berth"}
    told |= {"source": HOME.sources, "url": HOME.downloads, "version": version()}
    return {f"org.opencontainers.image.{key}": text for key, text in told.items() if text}


def _project() -> dict[str, object]:
    project: dict[str, object] = tomllib.loads(_PROJECT.read_text())["project"]
    return project
