"""A watch's stream, line by line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Generic

import msgspec

from berth.kube.answers import UNREADABLE, failure_of_status, unreadable
from berth.kube.errors import Silent, TooLarge
from berth.kube.exchange import Request
from berth.kube.kind import Kind, R, WatchType, read_watch_line
from berth.kube.reply import Content

_INITIAL_END = "k8s.io/initial-events-end"


class _BookmarkMeta(msgspec.Struct):
    annotations: dict[str, str] | None = None


class _Bookmark(msgspec.Struct):
    metadata: _BookmarkMeta = msgspec.field(default_factory=_BookmarkMeta)


_read_bookmark = msgspec.json.Decoder(_Bookmark)


@dataclass(frozen=True, slots=True)
class WatchEvent(Generic[R]):
    """One line of a watch. A BOOKMARK's object holds nothing but a resourceVersion."""

    type: WatchType
    object: R
    ends_initial: bool = False
    """Whether it is the BOOKMARK after all that was there when the watch began."""


def read_event(request: Request, kind: Kind[R], line: bytes) -> WatchEvent[R]:
    """What a line says. StatusError for an error that it tells, or for nonsense."""
    try:
        event = read_watch_line.decode(line)
        if event.type == "ERROR":
            raise failure_of_status(str(request), bytes(event.object))
        obj, ends_initial = kind.read.decode(event.object), False
        if event.type == "BOOKMARK":
            ends_initial = (_read_bookmark.decode(event.object).metadata.annotations or {}).get(_INITIAL_END) == "true"
        return WatchEvent(event.type, obj, ends_initial)
    except UNREADABLE as error:
        raise unreadable(str(request), error) from error


async def whole_lines(
    request: Request, content: Content, silence: float, silent: Silent
) -> AsyncGenerator[bytes, None]:
    """The whole lines of content. Raises silent when a line is not whole within silence seconds of the one before, also
    while bytes of it still come; TooLarge when it is longer than an answer to the request may be.
    """
    clock = asyncio.get_running_loop().time
    begun: list[bytes] = []
    size, since = 0, clock()
    while True:
        try:
            part = await content.readany(since + silence)
        except TimeoutError as error:
            raise silent from error
        if not part:
            return
        *whole, rest = part.split(b"\n")
        for line in whole:
            yield b"".join((*begun, line))
            begun, size, since = [], 0, clock()
        begun.append(rest)
        size += len(rest)
        if size > request.most:
            raise TooLarge(str(request), request.most)
