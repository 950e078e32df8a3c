"""An image in an OCI archive, as releases have it (release/oci.py): one for each machine, read where it lies.

By the OCI Image Format Specification 1.1 (image-layout). Everything that is read is held against its digest first.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from berth.images.errors import ArchiveError
from berth.images.texts import say

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_NAME, _SHORT_NAME = "io.containerd.image.name", "org.opencontainers.image.ref.name"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MOST = 4 << 20
"""Bytes of a manifest: what registries take."""
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Blob:
    """A piece of content, and what it is."""

    kind: str
    digest: str
    size: int
    label: str = ""
    """What people may call it."""


@dataclass(frozen=True, slots=True)
class Image:
    """One machine's image."""

    machine: str
    """As OCI calls it: amd64, arm64."""
    manifest: Blob
    config: Blob
    layers: tuple[Blob, ...]


class Archive:
    """An archive with one image for each machine. Close it, or use it with `with`.

    ArchiveError, for whatever is wrong with the file, when it is made; later only where the file is changed meanwhile.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise ArchiveError(say("archive.unreadable", file=path, why=error.strerror or error)) from error
        try:
            self._members = self._read_members()
            self.top, self.name = self._find_top()
            self.images = tuple(self._find_images())
            if not self.images:
                raise self._damaged("damaged.empty")
            self._check()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def top_blob(self) -> Blob:
        """What the name stands for: the index of all images, or the manifest of the only one."""
        return self._blob(self.top)

    @property
    def short_name(self) -> str:
        """The name as people type it, without what nodes add to it."""
        return self.name.removeprefix("docker.io/library/")

    @property
    def tag(self) -> str:
        """What stands behind the image's name: its version."""
        return self.name.rpartition(":")[2]

    @property
    def machines(self) -> tuple[str, ...]:
        """The kinds of machines that it has an image for."""
        return tuple(image.machine for image in self.images)

    def image_for(self, machine: str) -> Image:
        """That machine's. ArchiveError where there is none."""
        for image in self.images:
            if image.machine == machine:
                return image
        raise ArchiveError(say("archive.machine", file=self.path.name, machines=self.machines, machine=machine))

    def chunks(self, blob: Blob) -> Iterator[bytes]:
        """The content, piece by piece."""
        at, left = self._members[_place(blob.digest)]
        while left:
            self._file.seek(at)
            piece = self._file.read(min(left, _CHUNK))
            if not piece:
                raise self._damaged("damaged.short")
            at, left = at + len(piece), left - len(piece)
            yield piece

    def content(self, blob: Blob) -> bytes:
        """All of it, of a blob that is small."""
        return b"".join(self.chunks(blob))

    def alone(self, image: Image) -> bytes:
        """An archive with that image and no other, under the same name, which every program reads: those that know
        OCI layouts by index.json, Docker before 25 by manifest.json.
        """
        named = {_NAME: self.name, _SHORT_NAME: self.name}
        told = {"mediaType": image.manifest.kind, "digest": image.manifest.digest, "size": image.manifest.size}
        entry = {**told, "platform": {"architecture": image.machine, "os": "linux"}, "annotations": named}
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
        places = [_place(part.digest) for part in (image.config, *image.layers)]
        older = [{"Config": places[0], "RepoTags": [self.name], "Layers": places[1:]}]
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as tar:
            _add(tar, "oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}).encode())
            _add(tar, "index.json", json.dumps(index).encode())
            _add(tar, "manifest.json", json.dumps(older).encode())
            for blob in (image.manifest, image.config, *image.layers):
                _add(tar, _place(blob.digest), self.content(blob))
        return made.getvalue()

    def _read_members(self) -> dict[str, tuple[int, int]]:
        """Where each file lies, and how long it is."""
        try:
            with tarfile.open(fileobj=self._file, mode="r:") as tar:
                return {member.name: (member.offset_data, member.size) for member in tar if member.isreg()}
        except (tarfile.TarError, OSError, ValueError) as error:
            raise ArchiveError(say("archive.no-tar", file=self.path)) from error

    def _find_top(self) -> tuple[dict[str, Any], str]:
        if "index.json" not in self._members:
            raise ArchiveError(say("archive.no-layout", file=self.path))
        index = self._json("index.json")
        match index:
            case {"manifests": [{"annotations": {"io.containerd.image.name": str(name)}} as top]} if ":" in name:
                return top, name
        raise ArchiveError(say("archive.no-layout", file=self.path))

    def _find_images(self) -> Iterator[Image]:
        entries = [self.top]
        if self.top.get("mediaType") == INDEX:
            entries = _list(self._json(_place(self._blob(self.top).digest)).get("manifests"))
        for entry in entries:
            manifest = self._blob(entry)
            match self._json(_place(manifest.digest)), entry:
                case {"config": config, "layers": [*layers]}, {"platform": {"architecture": str(machine)}}:
                    settings = self._blob(config, machine)
                    labels = [f"{machine}: {told}" for told in self._history(settings, len(layers))]
                    parts = tuple(self._blob(layer, label) for layer, label in zip(layers, labels, strict=True))
                    yield Image(machine, manifest, settings, parts)
                case _:
                    raise self._damaged("damaged.manifest")

    def _history(self, config: Blob, layers: int) -> list[str]:
        """What each layer is called by who made it; its number where nobody says."""
        told = [step for step in _list(self._json(_place(config.digest)).get("history")) if isinstance(step, dict)]
        names = [str(step.get("created_by", "")) for step in told if not step.get("empty_layer")]
        return names if len(names) == layers and all(names) else [str(number) for number in range(1, layers + 1)]

    def _blob(self, told: Any, label: str = "") -> Blob:
        match told:
            case {"mediaType": str(kind), "digest": str(digest), "size": int(size)} if _DIGEST.fullmatch(digest):
                found = self._members.get(_place(digest))
                if found is None or found[1] != size:
                    raise self._damaged("damaged.missing", digest=digest)
                return Blob(kind, digest, size, label)
        raise self._damaged("damaged.descriptor")

    def _json(self, name: str) -> Any:
        at, size = self._members[name]
        if size > _MOST:
            raise self._damaged("damaged.large", name=name)
        self._file.seek(at)
        try:
            read = json.loads(self._file.read(size))
        except (ValueError, RecursionError) as error:
            raise self._damaged("damaged.json", name=name) from error
        return read if isinstance(read, dict) else {}

    def _check(self) -> None:
        """Holds every blob against its digest: a registry would, too, but only when all was sent."""
        top = self._blob(self.top)
        for blob in {top, *(part for image in self.images for part in (image.manifest, image.config, *image.layers))}:
            whole = hashlib.sha256()
            for piece in self.chunks(blob):
                whole.update(piece)
            if f"sha256:{whole.hexdigest()}" != blob.digest:
                raise self._damaged("damaged.content", digest=blob.digest)

    def _damaged(self, key: str, **facts: object) -> ArchiveError:
        return ArchiveError(say("archive.damaged", file=self.path, why=say(key, **facts)))


def _list(told: object) -> list[Any]:
    """What is told, if it is a list: archives come from anywhere."""
    return told if isinstance(told, list) else []


def _place(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))
