"""The container image, as an OCI archive: one for each machine, and one for all of them.

By the OCI Image Format Specification 1.1. `docker load` before Docker 25 reads an older list (manifest.json), which the
archives of a single machine have besides.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release import root, tree
from release.machines import Machine

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_CREATED = "1980-01-01T00:00:00Z"

_BERTH = (f"{root.SITE}/berth", "usr/lib/berth", "usr/bin/berth")
"""What changes with Berth alone: a layer of its own."""
# Version 2, permitted only: NET_BIND_SERVICE is number 10. See start.py for what it is good for.
_CAPABILITY = struct.pack("<5I", 0x02000000, 1 << 10, 0, 0, 0).decode()
_ATTRIBUTES = {root.INTERPRETER: {"SCHILY.xattr.security.capability": _CAPABILITY}}


@dataclass(frozen=True, slots=True)
class _Image:
    """One machine's image, in a layout."""

    machine: Machine
    config: dict[str, Any]
    layers: list[dict[str, Any]]
    manifest: dict[str, Any]


class Layout:
    """An image layout in a folder: images are added, then it is written as an archive."""

    def __init__(self, folder: Path) -> None:
        """folder: empty; filled here, and the caller's to remove."""
        self._folder = folder
        self._blobs = folder / "blobs" / "sha256"
        self._blobs.mkdir(parents=True)
        self._images: list[_Image] = []

    def add(self, machine: Machine, folder: Path, labels: dict[str, str]) -> None:
        """Adds the image of the root in folder."""
        parts = [self._layer(folder, is_berth=False), self._layer(folder, is_berth=True)]
        config = {
            "architecture": machine.name,
            "config": {
                "Cmd": ["run"],
                "Entrypoint": [f"/{root.INTERPRETER}", "-I", f"/{root.START}"],
                "Env": ["PATH=/usr/bin:/bin", "LANG=C.UTF-8", "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1"],
                "Labels": labels,
                "WorkingDir": "/",
            },
            "created": _CREATED,
            "history": [{"created": _CREATED, "created_by": text} for text in ("Python and its packages", "Berth")],
            "os": "linux",
            "rootfs": {"diff_ids": [plain for plain, _ in parts], "type": "layers"},
        }
        layers = [layer for _, layer in parts]
        told = self._json(_CONFIG, config)
        body = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": told, "layers": layers, "annotations": labels}
        manifest = self._json(_MANIFEST, body) | {"platform": {"architecture": machine.name, "os": "linux"}}
        self._images.append(_Image(machine, told, layers, manifest))

    def write(self, archive: Path, name: str) -> None:
        """Writes all that was added as one archive that programs import under that name."""
        if len(self._images) == 1:
            (image,) = self._images
            top = image.manifest
            files = [f"blobs/sha256/{_hex(part)}" for part in (image.config, *image.layers)]
            self._write("manifest.json", [{"Config": files[0], "RepoTags": [name], "Layers": files[1:]}])
        else:
            manifests = [image.manifest for image in self._images]
            top = self._json(_INDEX, {"schemaVersion": 2, "mediaType": _INDEX, "manifests": manifests})
        named = {"io.containerd.image.name": _full(name), "org.opencontainers.image.ref.name": name}
        self._write(
            "index.json", {"schemaVersion": 2, "mediaType": _INDEX, "manifests": [{**top, "annotations": named}]}
        )
        self._write("oci-layout", {"imageLayoutVersion": "1.0.0"})
        with archive.open("wb") as sink:
            tree.pack(self._folder, sink)

    def _layer(self, folder: Path, *, is_berth: bool) -> tuple[str, dict[str, Any]]:
        """The digest of a layer's plain archive, and the descriptor of the compressed one."""

        def wanted(name: str) -> bool:
            return is_berth == any(name == part or name.startswith(f"{part}/") for part in _BERTH)

        plain, packed = self._folder / "layer.tar", self._folder / "layer.tar.gz"
        with plain.open("wb") as sink:
            tree.pack(folder, sink, wanted=wanted, attributes=_ATTRIBUTES)
        tree.compress(plain, packed)
        told = _digest(plain)
        plain.unlink()
        return told, self._take(_LAYER, packed)

    def _json(self, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        self._write("part.json", content)
        return self._take(kind, self._folder / "part.json")

    def _write(self, name: str, content: Any) -> None:
        (self._folder / name).write_text(json.dumps(content, sort_keys=True, separators=(",", ":")))

    def _take(self, kind: str, part: Path) -> dict[str, Any]:
        digest = _digest(part)
        size = part.stat().st_size
        part.replace(self._blobs / digest.removeprefix("sha256:"))
        return {"mediaType": kind, "digest": digest, "size": size}


def _full(name: str) -> str:
    """The name with its registry. containerd takes a name as it is, and a kubelet looks for this one
    (k3s-io/k3s#7015)."""
    first, slash, _ = name.partition("/")
    has_registry = bool(slash) and (first == "localhost" or "." in first or ":" in first)
    return name if has_registry else f"docker.io/{name}" if slash else f"docker.io/library/{name}"


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"


def _hex(descriptor: dict[str, Any]) -> str:
    return str(descriptor["digest"]).removeprefix("sha256:")
