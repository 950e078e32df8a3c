"""Waiting for what the cluster does by itself."""

from __future__ import annotations

import asyncio

import pytest

from berth.operations.polling import poll
from tests.aio.virtual_time import run_virtual


@pytest.mark.parametrize(("patience", "answer", "looks"), [(60.0, 4, 4), (1.0, 3, 3), (0.0, 1, 1)])
def test_it_ends_with_the_answer_that_is_waited_for_or_the_last_one(patience: float, answer: int, looks: int) -> None:
    async def main() -> None:
        seen: list[float] = []

        async def look() -> int:
            seen.append(asyncio.get_running_loop().time())
            return len(seen)

        assert await poll(look, until=lambda count: count == 4, patience=patience, every=0.5) == answer
        assert len(seen) == looks

    run_virtual(main())


def test_what_look_raises_ends_it() -> None:
    async def look() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        run_virtual(poll(look, until=bool, patience=60))
