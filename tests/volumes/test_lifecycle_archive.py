"""Archives (I6): a name that nobody else has, for every volume, whatever is in the way."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest

from berth.volumes.errors import Unavailable
from berth.volumes.naming import archive_name, metadata_path, pointer_path, record_path
from berth.volumes.records import decode
from berth.volumes.share import Entry, ShareAddress
from tests.volumes.bench import Bench
from tests.volumes.builders import Life, born_with_data, plan, release_plan
from tests.volumes.memory import MemoryShare

CLUSTER = "cluster-1"
BY_NAME = {"pathPattern": "${.PVC.namespace}/${.PVC.name}"}


async def test_an_archived_volume_is_in_the_root_with_its_metadata(share: Bench, lifecycle: Life) -> None:
    made = await born_with_data(share, parameters=BY_NAME)
    assert await lifecycle.release(release_plan(made, on_delete="archive"), share) == "archived-team-data"
    tree = share.tree()
    assert "archived-team-data/content" in tree
    assert made.path not in tree
    assert record_path(made.pv) not in tree
    metadata = decode(await share.read_file(metadata_path("archived-team-data")), "x")
    assert (metadata.pv, metadata.path, metadata.owner) == (made.pv, "team/data", made.claim)
    assert metadata.archived


async def test_archives_of_one_name_get_a_time_and_then_a_number(share: Bench, lifecycle: Life) -> None:
    names = []
    for turn in range(4):
        made = await born_with_data(share, f"turn-{turn}", parameters={"pathPattern": "same"})
        names.append(await lifecycle.release(release_plan(made, on_delete="archive"), share))
    assert names[0] == "archived-same"
    for name in names[1:]:
        assert re.fullmatch(r"archived-same-\d{8}T\d{6}Z(-\d)?", name)
    assert len(set(names)) == 4
    for turn, name in enumerate(names):
        assert await share.read_file(f"{name}/content") == f"turn-{turn}".encode()


@pytest.mark.parametrize("letter", ["x", "数"])
async def test_volumes_with_the_longest_of_names_are_archived_too(share: Bench, lifecycle: Life, letter: str) -> None:
    long = letter * (255 // len(letter.encode()))
    names = []
    for turn in range(3):
        made = await born_with_data(share, f"turn-{turn}", parameters={"pathPattern": long})
        names.append(await lifecycle.release(release_plan(made, on_delete="archive"), share))
    assert len(set(names)) == 3
    assert names[0] == archive_name(long)


async def test_a_name_that_was_reserved_for_a_directory_that_then_went_is_given_back(
    share: Bench, lifecycle: Life
) -> None:
    made = await born_with_data(share)
    ending = release_plan(made, on_delete="archive")
    name = await lifecycle.release(ending, share)
    share.take_away(name)
    assert await lifecycle.release(ending, share) == ""
    assert metadata_path(name) not in share.tree()


async def test_an_archive_leaves_directories_that_look_like_archives_alone(share: Bench, lifecycle: Life) -> None:
    await share.make_directory("archived-team-data", mode=0o755)
    await share.write_file("archived-team-data/content", b"the reference's")
    name = await lifecycle.release(
        release_plan(await born_with_data(share, parameters=BY_NAME), on_delete="archive"), share
    )
    assert re.fullmatch(r"archived-team-data-\d{8}T\d{6}Z", name)
    assert await share.read_file("archived-team-data/content") == b"the reference's"
    assert metadata_path("archived-team-data") not in share.tree()


class Squatting(MemoryShare):
    """A share where a reference provisioner makes an archive of the same name in the very same moment."""

    async def rename(self, source: str, target: str, only: Entry | None = None) -> None:
        if target == "archived-team-data":
            await self.make_directory(target, mode=0o755)
        await super().rename(source, target, only)


async def test_a_name_that_is_taken_in_the_last_moment_is_given_up_with_its_metadata(lifecycle: Life) -> None:
    squatting = Squatting(plan().share)
    made = await born_with_data(squatting, parameters=BY_NAME)
    where = await lifecycle.release(release_plan(made, on_delete="archive"), squatting)
    assert re.fullmatch(r"archived-team-data-\d{8}T\d{6}Z", where)
    assert metadata_path("archived-team-data") not in squatting.tree()
    assert metadata_path(where) in squatting.tree()


class Counting(MemoryShare):
    """Counts how often it is asked for anything, and what is listed."""

    def __init__(self, address: ShareAddress) -> None:
        super().__init__(address)
        self.calls = 0
        self.listed: set[str] = set()

    async def list(self, path: str, most: int | None = None) -> list[Entry]:
        self.listed.add(path)
        return await super().list(path, most)

    async def stat(self, path: str) -> Entry:
        self.calls += 1
        return await super().stat(path)

    async def read_file(self, path: str) -> bytes:
        self.calls += 1
        return await super().read_file(path)

    async def write_file(self, path: str, content: bytes, *, exclusive: bool = False) -> None:
        self.calls += 1
        await super().write_file(path, content, exclusive=exclusive)


async def test_one_more_archive_costs_as_much_with_a_thousand_of_its_name_as_with_one(lifecycle: Life) -> None:
    counting = Counting(plan().share)
    costs, names = [], set()
    for turn in range(3):
        made = await born_with_data(counting, f"turn-{turn}", parameters={"pathPattern": "same"})
        counting.calls = 0
        name = await lifecycle.release(release_plan(made, on_delete="archive"), counting)
        costs.append(counting.calls)
        names.add(name)
        assert await counting.read_file(f"{name}/content") == f"turn-{turn}".encode()
        if turn == 1:
            metadata = await counting.read_file(metadata_path(name))
            for number in range(1000):
                await counting.make_directory(f"archived-same-{number}", mode=0o755)
                await counting.write_file(metadata_path(f"archived-same-{number}"), metadata)
    assert len(names) == 3
    assert abs(costs[2] - costs[1]) <= 3  # within one second it gets a number, too
    assert ".berth/archives" not in counting.listed


class Stopping(MemoryShare):
    """Dies before one of the steps that an archive takes."""

    def __init__(self, address: ShareAddress) -> None:
        super().__init__(address)
        self.steps_left = 1_000_000

    def _step(self) -> None:
        self.steps_left -= 1
        if self.steps_left == 0:
            raise Unavailable("x", "io", "killed")

    async def write_file(self, path: str, content: bytes, *, exclusive: bool = False) -> None:
        self._step()
        await super().write_file(path, content, exclusive=exclusive)

    async def rename(self, source: str, target: str, only: Entry | None = None) -> None:
        self._step()
        await super().rename(source, target, only)
        self._step()  # done, and the answer is lost

    async def remove_file(self, path: str) -> None:
        self._step()
        await super().remove_file(path)


@pytest.mark.parametrize("steps", range(1, 7))
async def test_a_second_archive_of_a_name_that_was_stopped_anywhere_goes_on_with_the_name_it_had(steps: int) -> None:
    stopping = Stopping(plan().share)
    for content in ("first", "second"):
        made = await born_with_data(stopping, content, parameters={"pathPattern": "same"})
        ending = release_plan(made, on_delete="archive")
        if content == "second":
            stopping.steps_left = steps
            with suppress(Unavailable):
                await Life(CLUSTER).release(ending, stopping)
            stopping.steps_left = 1_000_000
        name = await Life(CLUSTER).release(ending, stopping)
        assert await Life(CLUSTER).release(ending, stopping) == name  # and says the same again
        assert await stopping.read_file(f"{name}/content") == content.encode()
    tree = stopping.tree()
    assert len([path for path in tree if path.endswith("/content")]) == 2
    assert len([path for path in tree if path.startswith(".berth/archives/") and path.endswith(".json")]) == 2


@pytest.mark.parametrize("content", [b"", b"archived-same\n", b"archived-same-x/../../etc\n", b"\xff\0", b"team-data"])
async def test_a_pointer_that_is_cut_off_or_lies_is_not_believed(content: bytes, lifecycle: Life) -> None:
    share = MemoryShare(plan().share)
    first = await born_with_data(share, "first", parameters={"pathPattern": "same"})
    await lifecycle.release(release_plan(first, on_delete="archive"), share)
    made = await born_with_data(share, "second", parameters={"pathPattern": "same"})
    await share.write_file(pointer_path(made.pv), content)
    name = await lifecycle.release(release_plan(made, on_delete="archive"), share)
    assert await share.read_file(f"{name}/content") == b"second"
    assert await share.read_file("archived-same/content") == b"first"


async def test_what_a_late_repetition_of_its_creation_made_is_archived_beside_it(share: Bench, lifecycle: Life) -> None:
    made = await born_with_data(share)
    ending = release_plan(made, on_delete="archive")
    first = await lifecycle.release(ending, share)
    await lifecycle.create(made, share)
    second = await lifecycle.release(ending, share)
    assert second != first
    assert made.path not in share.tree()
    assert await share.read_file(f"{first}/content") == b"data"


async def test_metadata_that_can_not_be_read_is_left_alone_with_its_archive(share: Bench, lifecycle: Life) -> None:
    names = ["archived-team-data", "archived-team-data-20200101T000000Z"]
    await lifecycle.create(plan("other"), share)
    for name in names:
        await share.write_file(metadata_path(name), b"{}")
    made = await born_with_data(share, parameters=BY_NAME)
    where = await lifecycle.release(release_plan(made, on_delete="archive"), share)
    assert where not in names
    assert await share.read_file(f"{where}/content") == b"data"
    assert [await share.read_file(metadata_path(name)) for name in names] == [b"{}", b"{}"]
