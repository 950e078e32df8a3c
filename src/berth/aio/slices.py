"""Long work in short turns: whoever goes through all of many things lets the event loop do other work in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

T = TypeVar("T")

TURN = 100
"""Things in one turn. Of what is done with an object of a cache, so many take one to three milliseconds."""


async def in_slices(things: Iterable[T], turn: int = TURN) -> AsyncIterator[T]:
    """The things one by one; after each `turn` of them the loop has its turn.

    Others may change what things come from meanwhile: hand in a copy where that could be so, of very many a tuple: of a
    list, the garbage collector visits every single one each time.
    """
    left = turn
    for thing in things:
        yield thing
        left -= 1
        if not left:
            await asyncio.sleep(0)
            left = turn
