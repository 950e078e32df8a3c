"""Pushing as the command does it, and what was told meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from berth.images.archive import Archive, Blob
from berth.images.chart import read_chart
from berth.images.errors import Lost, RegistryError
from berth.images.login import Login, given
from berth.images.push import Pushed, push_chart, push_image
from berth.images.reference import parse
from berth.images.registry import Registry
from berth.images.trust import CertificateTrust


class Watched:
    """What a push has told."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.was_there: list[str] = []
        self.bytes = 0
        self.lost: list[str] = []

    def begins(self, blob: Blob) -> None: ...

    def moved(self, number: int) -> None:
        self.bytes += number

    def done(self, blob: Blob, *, was_there: bool) -> None:
        (self.was_there if was_there else self.sent).append(blob.label)

    def again(self, error: Lost) -> None:
        self.lost.append(error.text.en)


def push(
    host: str,
    archive: Path,
    *,
    login: Login | None = None,
    trust: CertificateTrust | None = None,
    watched: Watched | None = None,
    name: str = "storage/berth",
    tags: tuple[str, ...] = ("0.1.0",),
    patience: float = 20,
) -> Pushed:
    """Pushes an image to a registry."""

    async def job() -> Pushed:
        repository, _ = parse(f"{host}/{name}")
        believed = trust or CertificateTrust(is_insecure=True)
        with Archive(archive) as opened:
            async with Registry(repository, given(login), believed, patience=patience) as registry:
                await registry.greet()
                return await push_image(registry, opened, tags, watched or Watched())

    return asyncio.run(job())


def put_chart(host: str, archive: Path, login: Login | None = None) -> Pushed:
    """Pushes a chart to a registry."""

    async def job() -> Pushed:
        repository, _ = parse(f"{host}/storage/berth-chart")
        async with Registry(repository, given(login), CertificateTrust(is_insecure=True)) as registry:
            await registry.greet()
            return await push_chart(registry, read_chart(archive), Watched())

    return asyncio.run(job())


def complaint(host: str, archive: Path, **more: Any) -> str:
    """The one sentence in which a push ends."""
    with pytest.raises(RegistryError) as refusal:
        push(host, archive, **more)
    text = refusal.value.text
    assert len(text.en.splitlines()) == 1
    assert text.zh != text.en
    return text.en
