"""Waiting for what the cluster does by itself: asked again and again, until it is so or patience is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

EVERY = 0.5
"""Seconds between two looks."""


async def poll(
    look: Callable[[], Awaitable[T]], *, until: Callable[[T], bool], patience: float, every: float = EVERY
) -> T:
    """The first answer of look for which until holds; the last one when that takes longer than patience (seconds).

    Looks once at least. What look raises ends it.
    """
    clock = asyncio.get_running_loop().time
    end = clock() + patience
    while True:
        answer = await look()
        if until(answer) or clock() >= end:
            return answer
        await asyncio.sleep(every)
