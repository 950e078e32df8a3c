"""The chart as an OCI artifact, as `helm push` makes it (HIP-6): Chart.yaml as configuration, the archive as layer."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from berth.images.archive import MANIFEST, Blob
from berth.images.errors import ArchiveError
from berth.images.texts import say
from berth.texts.yaml_in import YamlError, read_yaml

_CONFIG = "application/vnd.cncf.helm.config.v1+json"
_CONTENT = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_MOST = 1 << 20
"""Bytes of a Chart.yaml, and of the archive's files before it."""
_LARGEST = 16 << 20


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart's archive, as it is pushed."""

    name: str
    version: str
    parts: tuple[tuple[Blob, bytes], ...]
    """Configuration and layer."""
    manifest: bytes

    @property
    def tag(self) -> str:
        """Tags take no `+`, and Helm writes `_` for it."""
        return self.version.replace("+", "_")

    @property
    def digest(self) -> str:
        """Of the manifest."""
        return _digest(self.manifest)

    @property
    def kind(self) -> str:
        """The manifest's media type."""
        return MANIFEST


def read_chart(path: Path) -> Chart:
    """The chart in an archive. ArchiveError where it is none."""
    try:
        content = path.read_bytes() if path.stat().st_size <= _LARGEST else b""
    except OSError as error:
        raise ArchiveError(say("archive.unreadable", file=path, why=error.strerror or error)) from error
    told = _chart_yaml(path)
    match told:
        case {"name": str(name), "version": str(version)} if name and version:
            config = json.dumps(told, sort_keys=True, separators=(",", ":"), default=str).encode()
        case _:
            raise ArchiveError(say("archive.no-chart", file=path))
    parts = tuple(
        (Blob(kind, _digest(part), len(part), label), part)
        for kind, part, label in ((_CONFIG, config, "Chart.yaml"), (_CONTENT, content, f"chart {version}"))
    )
    described = [{"mediaType": blob.kind, "digest": blob.digest, "size": blob.size} for blob, _ in parts]
    body = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": described[0],
        "layers": described[1:],
        "annotations": dict(_annotations(told)),
    }
    return Chart(name, version, parts, json.dumps(body, sort_keys=True, separators=(",", ":")).encode())


def _chart_yaml(path: Path) -> dict[str, Any]:
    """The Chart.yaml of the one folder that is in a chart's archive."""
    try:
        with tarfile.open(path, "r:gz") as tar:
            for member in tar:
                if member.offset > _LARGEST:
                    break
                if member.isreg() and member.name.count("/") == 1 and member.name.endswith("/Chart.yaml"):
                    file = tar.extractfile(member)
                    read = read_yaml(file.read(_MOST)) if file else None
                    return read if isinstance(read, dict) else {}
    except (tarfile.TarError, OSError, EOFError, ValueError, YamlError) as error:
        raise ArchiveError(say("archive.no-chart", file=path)) from error
    return {}


def _annotations(told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, field in (("title", "name"), ("version", "version"), ("description", "description"), ("url", "home")):
        if told.get(field):
            yield f"org.opencontainers.image.{key}", str(told[field])


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
