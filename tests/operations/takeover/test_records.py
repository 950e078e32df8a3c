"""Records on a share that goes away, that is another cluster's as well, or that has them already."""

from __future__ import annotations

import asyncio

import pytest

from berth.operations.errors import Stopped
from berth.operations.takeover.records import Recorded, remove_records, waiting_trash, write_records
from berth.volumes.errors import Unavailable
from tests.operations.takeover.town import Town, nothing
from tests.volumes.memory import MemoryShare


class FailingShare(MemoryShare):
    """Of which the server goes away once so many files were written or removed."""

    left = 1

    def _allow(self) -> None:
        super()._allow()
        if self.left == 0:
            raise Unavailable(str(self.address), "io", "no answer")
        self.left -= 1

    async def write_file(self, path: str, content: bytes, *, exclusive: bool = False) -> None:
        if path.startswith(".berth/volumes/"):
            self._allow()
        await super().write_file(path, content, exclusive=exclusive)


def fail(town: Town) -> None:
    """From now on the share is such a one."""
    failing = FailingShare(town.address)
    failing.root = town.share.root
    town.shares.known[town.address] = failing


async def test_they_are_written_once(town: Town) -> None:
    run, plan = await town.begin()
    assert await write_records(run.shares, plan.group.volumes, run.uid) == Recorded(2, 0, ())
    assert await write_records(run.shares, plan.group.volumes, run.uid) == Recorded(0, 2, ())
    assert len(town.records()) == 2


async def test_a_share_that_goes_away_in_the_middle_ends_it_and_the_next_run_writes_the_rest(town: Town) -> None:
    fail(town)
    run, plan = await town.begin()
    with pytest.raises(Unavailable):
        await write_records(run.shares, plan.group.volumes, run.uid)
    assert len(town.records()) == 1
    town.shares.known[town.address] = town.share
    assert await write_records(run.shares, plan.group.volumes, run.uid) == Recorded(1, 1, ())


async def test_a_take_over_without_its_records_is_undone(town: Town) -> None:
    fail(town)
    with pytest.raises(Stopped, match="the records could not be written: "):
        await town.take_over()
    assert (town.is_as_before, town.overlaps) == (True, [])


async def test_a_take_over_whose_share_goes_away_is_undone(town: Town) -> None:
    town.on_write = lambda _: town.shares.down.add(town.address) if town.writes[-1].endswith("/nfs") else None
    with pytest.raises(Stopped, match=r"the records could not be written: pvc-.* \(.*connection refused\), pvc-"):
        await town.take_over()
    assert (town.is_as_before, town.overlaps) == (True, [])
    town.shares.down.clear()
    town.on_write = nothing
    await town.take_over()
    assert len(town.records()) == 2


async def test_cancelled_in_the_middle_nothing_is_half_written(town: Town) -> None:
    run, plan = await town.begin()
    for steps in range(1, 40):
        writing = asyncio.create_task(write_records(run.shares, plan.group.volumes, run.uid))
        for _ in range(steps):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait([writing])
        written = await write_records(run.shares, plan.group.volumes, run.uid)
        assert (written.written + written.present, written.refused) == (2, ())
        assert await remove_records(run.shares, plan.group.volumes, run.uid) == 2


async def test_another_clusters_are_left(town: Town) -> None:
    run, plan = await town.begin()
    await write_records(run.shares, plan.group.volumes, "another")
    written = await write_records(run.shares, plan.group.volumes, run.uid)
    assert (written.written, written.present, len(written.refused)) == (0, 0, 2)
    assert "says that the volume is cluster another's" in written.refused[0][1]
    assert await remove_records(run.shares, plan.group.volumes, run.uid) == 0
    assert len(town.records()) == 2


async def test_removed_twice_they_are_gone(town: Town) -> None:
    run, plan = await town.begin()
    await write_records(run.shares, plan.group.volumes, run.uid)
    assert await remove_records(run.shares, plan.group.volumes, run.uid) == 2
    assert await remove_records(run.shares, plan.group.volumes, run.uid) == 0
    assert town.records() == []


async def test_what_waits_in_the_trash_is_counted_once_for_a_share(town: Town) -> None:
    run, plan = await town.begin()
    assert await waiting_trash(run.shares, [town.address]) == 0
    await write_records(run.shares, plan.group.volumes, run.uid)
    for name in ("one", "two"):
        await town.share.make_directory(f".berth/trash/{name}", mode=0o700)
    assert await waiting_trash(run.shares, [town.address, town.address]) == 2
