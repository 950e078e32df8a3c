"""All records of a share: whose volumes overlap a path, without reading every record every time."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from berth.volumes.errors import Unavailable
from berth.volumes.metadata_dir import MetadataDirs, open_metadata_dir
from berth.volumes.naming import record_path
from berth.volumes.record_store import RecordStore
from berth.volumes.records import Record, encode, record_of, released
from berth.volumes.request import Census
from berth.volumes.share import Entry, ShareAddress
from tests.volumes.bench import Bench
from tests.volumes.builders import EXPORT, SERVER, plan
from tests.volumes.directory import DirectoryShare
from tests.volumes.faults import Failing
from tests.volumes.memory import MemoryShare


def record(name: str, path: str, cluster: str = "cluster-1") -> Record:
    return record_of(plan(name, parameters={"pathPattern": path}), cluster, "")


def records(cluster: str = "cluster-1") -> RecordStore:
    return RecordStore(cluster, MetadataDirs(cluster))


class Counting(MemoryShare):
    """Counts which files are read and which directories listed."""

    def __init__(self, address: ShareAddress) -> None:
        super().__init__(address)
        self.asked: Counter[str] = Counter()

    async def read_file(self, path: str) -> bytes:
        self.asked[path] += 1
        return await super().read_file(path)

    async def list(self, path: str, most: int | None = None) -> list[Entry]:
        self.asked[path] += 1
        return await super().list(path, most)


@pytest.fixture
def counting() -> Counting:
    return Counting(ShareAddress(SERVER, EXPORT))


async def paths_over(path: str, of: RecordStore, share: Bench, *, without: str = "") -> set[str]:
    return {found.path for found in (await of.overlapping(path, share, without=without)).certain}


async def test_a_record_is_read_as_it_was_written(share: Bench) -> None:
    written = record("data", "a")
    await records().write(written, share)
    assert await records().read(written.pv, share) == written
    assert await records().read("pvc-x", share) is None


async def test_writing_makes_berths_own_directory_where_it_is_missing(share: Bench) -> None:
    await records().write(record("data", "a"), share)
    assert share.tree()[".berth/clusters/cluster-1.json"]


@pytest.mark.parametrize("is_fresh", [True, False], ids=["a new process", "the one that wrote them"])
async def test_what_equals_contains_or_lies_in_a_path_overlaps_it(share: Bench, is_fresh: bool) -> None:
    writer = records()
    for name, path in {"one": "a", "two": "a/b", "three": "a/b/c", "four": "a/bc", "five": "b"}.items():
        await writer.write(record(name, path), share)
    reader = records() if is_fresh else writer
    for _ in range(2):
        assert await paths_over("a/b", reader, share) == {"a", "a/b", "a/b/c"}
        assert await paths_over("a/b", reader, share, without=plan("one").pv) == {"a/b", "a/b/c"}
        assert await paths_over("c", reader, share) == set()


async def test_the_records_of_a_lone_cluster_are_read_once(counting: Counting) -> None:
    for number in range(100):
        await records().write(record(f"volume-{number}", f"team/volume-{number}"), counting)
    counting.asked.clear()
    reader = records()
    await reader.overlapping("team/x", counting, without="")
    assert counting.asked.total() > 100
    counting.asked.clear()
    await reader.overlapping("team/volume-7", counting, without="")
    assert counting.asked == {".berth/clusters": 1, record_path(plan("volume-7").pv): 1}


async def test_what_pvs_say_need_not_be_read_and_is_not_believed_without_it(counting: Counting) -> None:
    for number in range(20):
        await records().write(record(f"volume-{number}", f"team/volume-{number}"), counting)
    left, moved = plan("volume-7").pv, plan("volume-8").pv
    paths = {plan(f"volume-{number}").pv: f"team/volume-{number}" for number in range(20)}
    del paths[left]  # kept when its PV went
    paths[moved] = "elsewhere"

    class Saying(Census):
        def path_on(self, share: ShareAddress, pv: str) -> str:
            return paths.get(pv, "") if share == counting.address else ""

    counting.asked.clear()
    reader = RecordStore("cluster-1", MetadataDirs("cluster-1"), Saying())
    assert await paths_over("team/volume-7", reader, counting) == {"team/volume-7"}
    assert {path for path in counting.asked if path.endswith(".json")} <= {record_path(left), ".berth/share.json"}
    assert await paths_over("team/volume-3/below", reader, counting) == {"team/volume-3"}
    assert await paths_over("elsewhere", reader, counting) == set()  # the record, which was asked, says otherwise


async def test_many_who_ask_first_read_everything_once(counting: Counting) -> None:
    for number in range(50):
        await records().write(record(f"volume-{number}", f"team/volume-{number}"), counting)
    counting.asked.clear()
    reader = records()
    await asyncio.gather(*(reader.overlapping("elsewhere", counting, without="") for _ in range(20)))
    assert counting.asked[".berth/volumes"] == 1


async def test_other_clusters_records_are_read_each_time(share: Bench) -> None:
    theirs, ours = records("cluster-2"), records()
    await ours.write(record("ours", "a"), share)
    assert await paths_over("a", ours, share) == {"a"}
    await open_metadata_dir(share, "cluster-2")
    foreign = record("theirs", "a/b", "cluster-2")
    await theirs.write(foreign, share)
    assert await paths_over("a", ours, share) == {"a", "a/b"}
    await theirs.write(released(foreign), share)
    (found,) = (await ours.overlapping("a/b", share, without=plan("ours").pv)).certain
    assert found.released
    await theirs.remove(foreign.pv, share)
    assert await paths_over("a", ours, share) == {"a"}


async def test_a_record_that_somebody_removed_or_changed_by_hand_counts_as_it_is_now(share: Bench) -> None:
    ours = records()
    written = record("data", "a")
    await ours.write(written, share)
    await ours.overlapping("a", share, without="")
    await share.write_file(record_path(written.pv), encode(released(written)))
    (found,) = (await ours.overlapping("a", share, without="")).certain
    assert found.released
    share.take_away(record_path(written.pv))
    assert await paths_over("a", ours, share) == set()


async def test_a_record_that_was_removed_no_longer_overlaps(share: Bench) -> None:
    ours = records()
    await ours.write(record("data", "a"), share)
    await ours.overlapping("a", share, without="")
    await ours.remove(plan("data").pv, share)
    assert await paths_over("a", ours, share) == set()


async def test_a_record_whose_writing_was_not_confirmed_counts(share: Bench) -> None:
    ours = records()
    await open_metadata_dir(share, "cluster-1")
    assert await paths_over("a", ours, share) == set()
    with pytest.raises(Unavailable):
        await ours.write(record("data", "a"), Failing(share, 1, "answer lost"))
    assert await paths_over("a", ours, share) == {"a"}


async def test_what_was_written_by_another_address_of_the_share_counts(tmp_path: Path) -> None:
    metadata = MetadataDirs("cluster-1")
    ours = RecordStore("cluster-1", metadata)
    by_name, by_address = (DirectoryShare(tmp_path, ShareAddress(server, EXPORT)) for server in (SERVER, "10.0.0.1"))
    try:
        for share in (by_name, by_address):
            await metadata.open(share)
            assert await paths_over("a", ours, share) == set()
        await ours.write(record("one", "a"), by_name)
        assert await paths_over("a", ours, by_address) == {"a"}
        await ours.write(released(record("one", "a")), by_address)
        (found,) = (await ours.overlapping("a", by_name, without="")).certain
        assert found.released
    finally:
        await by_name.aclose()
        await by_address.aclose()


async def test_two_shares_with_one_identity_are_kept_apart(tmp_path: Path) -> None:
    """As after a server was copied to another one."""
    metadata = MetadataDirs("cluster-1")
    ours = RecordStore("cluster-1", metadata)
    shares = [MemoryShare(ShareAddress(server, EXPORT)) for server in ("old", "new")]
    for share in shares:
        await metadata.open(share)
    identity = await shares[0].read_file(".berth/share.json")
    await shares[1].write_file(".berth/share.json", identity)
    await metadata.reopen(shares[1])
    for share in shares:
        await ours.write(record("data", "a"), share)
        assert await paths_over("a", ours, share) == {"a"}
    await ours.remove(plan("data").pv, shares[0])
    assert await paths_over("a", ours, shares[0]) == set()
    assert await paths_over("a", ours, shares[1]) == {"a"}


async def test_a_record_that_can_not_be_read_is_told_by_name_until_it_is_mended(share: Bench) -> None:
    ours = records()
    await ours.write(record("data", "a"), share)
    await share.write_file(record_path("pvc-x"), b"{")
    for _ in range(2):
        (unreadable,) = (await ours.overlapping("b", share, without="")).unreadable
        assert re.match(r"\.berth/volumes/pvc-x\.json: is not valid JSON", str(unreadable))
    share.take_away(record_path("pvc-x"))
    assert await paths_over("a", ours, share) == {"a"}


async def test_a_record_under_another_name_protects_its_path_too(share: Bench) -> None:
    ours = records()
    await ours.write(record("data", "a"), share)
    await share.write_file(record_path("pvc-x"), encode(record("other", "b")))
    for _ in range(2):
        assert await paths_over("b", records(), share) == {"b"}


async def test_an_outage_is_no_empty_answer(share: Bench) -> None:
    await records().write(record("data", "a"), share)
    for at in range(1, 3):
        failing = Failing(share, at, "unreachable")
        asking = records()
        with pytest.raises(Unavailable):
            await asking.overlapping("a", failing, without="")
        overlap = await asking.overlapping("a", failing, without="")
        assert {found.path for found in overlap.certain} == {"a"}


async def test_a_cluster_whose_entry_was_removed_is_still_known_by_its_records(share: Bench) -> None:
    ours = records()
    await open_metadata_dir(share, "cluster-2")
    await records("cluster-2").write(record("theirs", "a", "cluster-2"), share)
    await open_metadata_dir(share, "cluster-1")
    share.take_away(".berth/clusters/cluster-2.json")
    assert await paths_over("a", ours, share) == {"a"}
    await records("cluster-2").write(record("theirs again", "a/b", "cluster-2"), share)
    assert await paths_over("a", ours, share) == {"a", "a/b"}


async def test_a_share_is_read_again_once_it_was_forgotten(counting: Counting) -> None:
    ours = records()
    await ours.write(record("data", "a"), counting)
    await ours.overlapping("b", counting, without="")
    counting.asked.clear()
    ours.forget(counting.address)
    await ours.overlapping("b", counting, without="")
    assert counting.asked[record_path(plan("data").pv)] == 1


async def test_another_clusters_record_is_seen_even_if_the_list_of_clusters_is_gone(share: Bench) -> None:
    ours = records()
    await ours.write(record("ours", "a"), share)
    assert await paths_over("b", ours, share) == set()
    await open_metadata_dir(share, "cluster-2")
    await records("cluster-2").write(record("theirs", "b", "cluster-2"), share)
    share.take_away(".berth/clusters")
    assert await paths_over("b", ours, share) == {"b"}


async def test_what_was_just_written_need_not_be_looked_up(counting: Counting) -> None:
    ours = records()
    await ours.write(record("one", "a"), counting)
    await ours.overlapping("b", counting, without="")
    await ours.write(record("two", "b"), counting)
    counting.asked.clear()
    assert await paths_over("b", ours, counting) == {"b"}
    assert ".berth/volumes" not in counting.asked


@pytest.mark.parametrize(
    "left",
    [
        pytest.param(lambda content: content[: content.index(b"capacity")], id="cut off"),
        pytest.param(lambda content: content.replace(b'"format": 1', b'"format": 2'), id="of a newer format"),
        pytest.param(
            lambda content: content.replace(b'"onDelete": "archive"', b'"onDelete": "burn"'), id="unknown end"
        ),
    ],
)
async def test_what_is_left_of_a_record_tells_which_directory_it_speaks_of(
    share: Bench, left: Callable[[bytes], bytes]
) -> None:
    ours = records()
    await ours.write(record("data", "a/b"), share)
    await share.write_file(record_path("pvc-x"), left(encode(record("other", "c/d"))))
    assert not (await ours.overlapping("a/b", share, without="")).unreadable
    for near in ("c", "c/d", "c/d/e", "C/D"):
        assert (await ours.overlapping(near, share, without="")).unreadable


async def test_spellings_that_some_server_takes_for_one_are_told_apart_from_what_surely_overlaps(share: Bench) -> None:
    ours = records()
    for name, path in {"one": "team/Data", "two": "team/data", "three": "TEAM", "four": "team/dat"}.items():
        await ours.write(record(name, path), share)
    for asking in (ours, records()):
        overlap = await asking.overlapping("team/data/x", share, without="")
        assert {found.path for found in overlap.certain} == {"team/data"}
        assert {found.path for found in overlap.lookalikes} == {"team/Data", "TEAM"}
