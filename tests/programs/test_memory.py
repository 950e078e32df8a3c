"""When a long-running process gives memory back."""

from __future__ import annotations

import asyncio
import gc

import pytest

from berth.programs.process import memory


def test_memory_is_given_back_after_growth_and_not_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_EVERY", 0)
    sizes = iter([100, 101, 150, 110, 111, 105, 105, 160, 104])  # MB; two of them are read after giving back
    trims: list[int] = []
    read: list[int] = []

    def resident() -> int:
        size = next(sizes, None)
        if size is None:
            raise EOFError
        read.append(size)
        return size << 20

    with pytest.raises(EOFError):
        asyncio.run(memory.give_back(resident, lambda: trims.append(read[-1])))
    assert trims == [150, 160]


def test_settling_down_leaves_everything_working() -> None:
    memory.settle()
    gc.unfreeze()
    memory._trim()
    assert memory._resident() > 1 << 20
