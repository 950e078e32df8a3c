"""A watch's stream, line by line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from berth.kube.errors import Silent, TooLarge
from berth.kube.exchange import Request
from berth.kube.reply import Content


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
