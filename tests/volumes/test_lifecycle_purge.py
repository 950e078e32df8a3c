"""Purge: what was deleted goes for good, and only what is this cluster's."""

from __future__ import annotations

import pytest

from berth.volumes.errors import Refused
from berth.volumes.naming import record_path, trash_path
from berth.volumes.share import ShareAddress
from tests.volumes.bench import Bench
from tests.volumes.builders import EXPORT, SERVER, Life, born, release_plan, sweep
from tests.volumes.memory import MemoryShare


class Monitored(MemoryShare):
    """Keeps which files were read."""

    def __init__(self) -> None:
        super().__init__(ShareAddress(SERVER, EXPORT))
        self.read: list[str] = []

    async def read_file(self, path: str) -> bytes:
        self.read.append(path)
        return await super().read_file(path)


@pytest.fixture
def monitored() -> Monitored:
    return Monitored()


async def test_a_purge_removes_the_volume_with_its_record_and_counts(share: Bench, lifecycle: Life) -> None:
    made = await born(share, content=b"x")
    share.plant_link(f"{made.path}/link")
    await lifecycle.release(release_plan(made, on_delete="delete"), share)
    assert (await lifecycle.purge(made.pv, share)).entries == 3
    assert not [path for path in share.tree() if made.pv in path]
    assert (await lifecycle.purge(made.pv, share)).entries == 0


async def test_who_released_a_volume_need_not_ask_whose_it_is(monitored: Monitored) -> None:
    made = await born(monitored)
    lifecycle = Life("cluster-1")
    await lifecycle.release(release_plan(made, on_delete="delete"), monitored)
    monitored.read.clear()
    await lifecycle.purge(made.pv, monitored)
    assert monitored.read == []
    assert record_path(made.pv) not in monitored.tree()


async def test_trash_waits_until_it_is_purged(share: Bench, lifecycle: Life) -> None:
    made = await born(share)
    assert await lifecycle.waiting_trash(share) == []
    await lifecycle.release(release_plan(made, on_delete="delete"), share)
    assert await Life("cluster-1").waiting_trash(share) == [made.pv]
    await lifecycle.purge(made.pv, share)
    assert await lifecycle.waiting_trash(share) == []


async def test_a_share_that_berth_never_used_has_no_trash_and_gets_none(share: Bench, lifecycle: Life) -> None:
    assert await lifecycle.waiting_trash(share) == []
    assert await sweep(share) == []
    assert share.tree() == {}


async def test_another_clusters_trash_is_not_purged(share: Bench, other_cluster: Life) -> None:
    made = await born(share, content=b"x")
    await Life("cluster-1").release(release_plan(made, on_delete="delete"), share)
    assert await other_cluster.waiting_trash(share) == []
    with pytest.raises(Refused, match="for that cluster to purge"):
        await other_cluster.purge(made.pv, share)
    assert f"{trash_path(made.pv)}/content" in share.tree()


async def test_trash_that_is_not_shown_to_be_this_clusters_does_not_wait(share: Bench, lifecycle: Life) -> None:
    made = await born(share)
    await lifecycle.release(release_plan(made, on_delete="delete"), share)
    await share.make_directory(trash_path("pvc-by-hand"), mode=0o755)
    await share.make_directory(trash_path("pvc-x"), mode=0o755)
    await share.write_file(record_path("pvc-x"), b"{")
    assert await lifecycle.waiting_trash(share) == [made.pv]
