"""Messages that the wire keeps back until a test lets them go, so that a process can be stopped at one exact point."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.e2e.waiting import until


class Hold:
    """Keeps back every message that fits, until let_go. Made by Wire.hold."""

    def __init__(self, loop: asyncio.AbstractEventLoop, fits: Callable[[str], bool]) -> None:
        self._loop = loop
        self._fits = fits
        self._free = asyncio.Event()
        self.caught: list[str] = []
        """What has been kept back so far."""

    def wait_caught(self, count: int = 1) -> None:
        """Returns once so many messages have been kept back."""
        until(f"the wire keeps back {count} messages", lambda: len(self.caught) >= count)

    def let_go(self) -> None:
        """All go on, and nothing is kept back any more. Returns when that is so."""

        async def free() -> None:
            self._free.set()

        asyncio.run_coroutine_threadsafe(free(), self._loop).result(10)

    async def pass_by(self, message: str) -> None:
        """For the wire: returns when the message may go on."""
        if not self._free.is_set() and self._fits(message):
            self.caught.append(message)
            await self._free.wait()
