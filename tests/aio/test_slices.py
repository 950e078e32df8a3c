"""Long work leaves the event loop to others after so many things, however long it is."""

from __future__ import annotations

import asyncio

from berth.aio.slices import in_slices


async def test_others_have_their_turn_after_each_slice() -> None:
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(count_turns())
    await asyncio.sleep(0)
    seen: list[tuple[int, int]] = [(thing, turns) async for thing in in_slices(range(1000), 100)]
    other.cancel()
    assert [thing for thing, _ in seen] == list(range(1000))
    assert [turn for _, turn in seen] == sorted(turn for _, turn in seen)
    for at in range(0, 1000, 100):
        assert len({turn for _, turn in seen[at : at + 100]}) == 1
    assert len({turn for _, turn in seen}) == 10
