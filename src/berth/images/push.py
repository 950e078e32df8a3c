"""Pushing: what the registry lacks is sent, and only then it is told what it is. Interrupted at any point, nothing that
was tagged before has changed; the same again goes on with what is missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from berth.images.archive import Archive, Blob
from berth.images.chart import Chart
from berth.images.errors import Lost, RegistryError
from berth.images.registry import Registry
from berth.images.texts import say

T = TypeVar("T")

_WAITS = (1.0, 3.0)
"""Seconds before another try where the connection was lost, or the registry has a fault that may pass."""


class Watching(Protocol):
    """Told how it goes on."""

    def begins(self, blob: Blob) -> None:
        """A blob is sent, from its beginning."""

    def moved(self, number: int) -> None:
        """So many more bytes of it are sent."""

    def done(self, blob: Blob, *, was_there: bool) -> None:
        """It is there."""

    def again(self, error: Lost) -> None:
        """What was under way is tried once more."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What is in the registry now. sent: bytes that were sent for it."""

    repository: str
    digest: str
    tags: tuple[str, ...]
    sent: int


@dataclass(frozen=True, slots=True)
class _Source:
    """One blob, and how it is read."""

    blob: Blob
    pieces: Callable[[], Iterator[bytes]]


async def push_image(registry: Registry, archive: Archive, tags: tuple[str, ...], watching: Watching) -> Pushed:
    """Pushes the images of an archive and tags them. RegistryError."""
    parts = [blob for image in archive.images for blob in (*image.layers, image.config)]
    sources = [_Source(blob, lambda blob=blob: archive.chunks(blob)) for blob in parts]  # type: ignore[misc]
    sent = await _push_blobs(registry, sources, watching)
    top = archive.top_blob
    for image in archive.images:
        if image.manifest.digest != top.digest:
            await _put(registry, image.manifest.digest, image.manifest, archive.content(image.manifest), watching)
    for tag in tags:
        await _put(registry, tag, top, archive.content(top), watching)
    return Pushed(str(registry.repository), top.digest, tags, sent)


async def push_chart(registry: Registry, chart: Chart, watching: Watching) -> Pushed:
    """Pushes a chart under its version. RegistryError."""
    sources = [_Source(blob, lambda content=content: iter((content,))) for blob, content in chart.parts]  # type: ignore[misc]
    sent = await _push_blobs(registry, sources, watching)
    manifest = Blob(chart.kind, chart.digest, len(chart.manifest))
    await _put(registry, chart.tag, manifest, chart.manifest, watching)
    return Pushed(str(registry.repository), chart.digest, (chart.tag,), sent)


async def _push_blobs(registry: Registry, sources: list[_Source], watching: Watching) -> int:
    sent = 0
    for source in sources:

        async def push(source: _Source = source) -> bool:
            if await registry.has_blob(source.blob.digest):
                return True
            watching.begins(source.blob)
            await registry.put_blob(source.blob, source.pieces, watching.moved)
            return False

        was_there = await persisting(push, watching)
        watching.done(source.blob, was_there=was_there)
        sent += 0 if was_there else source.blob.size
    return sent


async def _put(registry: Registry, reference: str, manifest: Blob, body: bytes, watching: Watching) -> None:
    """Puts a manifest, unless it is there, and sees to it that it is."""

    async def put() -> str:
        if await registry.manifest_digest(reference) == manifest.digest:
            return manifest.digest
        await registry.put_manifest(reference, manifest.kind, body)
        return await registry.manifest_digest(reference)

    found = await persisting(put, watching)
    if found != manifest.digest:
        place = f"{registry.repository}{'@' if ':' in reference else ':'}{reference}"
        raise RegistryError(say("push.other", place=place, digest=manifest.digest, found=found or "-"))


async def persisting(job: Callable[[], Awaitable[T]], watching: Watching) -> T:
    """Does what can be repeated until it is done, or a third try is lost, too."""
    for wait in _WAITS:
        try:
            return await job()
        except Lost as error:
            watching.again(error)
            await asyncio.sleep(max(wait, error.wait))
    return await job()
