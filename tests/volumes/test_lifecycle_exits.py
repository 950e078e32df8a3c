"""A volume is served only where it can be released again (I11), and where no other volume is by another spelling."""

from __future__ import annotations

import pytest

from berth.volumes.errors import Missing, Refused, Unavailable
from berth.volumes.naming import TRASH, fold, record_path, trial_path
from berth.volumes.plan import Plan
from berth.volumes.share import Entry, Made, ShareAddress
from tests.volumes.builders import (
    EXPORT,
    SERVER,
    Life,
    among,
    neighbour,
    plan,
    release_plan,
    sweep,
    without_metadata_dir,
)
from tests.volumes.memory import MemoryShare, Node

ADDRESS = ShareAddress(SERVER, EXPORT)
BY_NAME = {"pathPattern": "${.PVC.namespace}/${.PVC.name}"}


class Nested(MemoryShare):
    """Another file system is mounted at `pool2`, seen by its number (crossmnt), or only when something is moved."""

    def __init__(self, *, is_seen: bool = True) -> None:
        super().__init__(ADDRESS)
        self._device = 2 if is_seen else 1
        self.root.children["pool2"] = Node("directory", 0o755, device=self._device)
        self.moves: list[tuple[str, str]] = []

    async def make_directory(
        self, path: str, *, mode: int, uid: int | None = None, gid: int | None = None, adopt: bool = False
    ) -> Made:
        made = await super().make_directory(path, mode=mode, uid=uid, gid=gid, adopt=adopt)
        if path.startswith("pool2/"):
            for depth in range(2, path.count("/") + 2):
                self._at("/".join(path.split("/")[:depth])).device = self._device
        return Made(made.is_new, await self.stat(path))

    async def rename(self, source: str, target: str, only: Entry | None = None) -> None:
        if source.startswith("pool2/") is not target.startswith("pool2/"):
            raise Refused(source, f"can't be moved to {target!r}, which is inside it or on another file system")
        self.moves.append((source, target))
        await super().rename(source, target, only)


@pytest.mark.parametrize("end", ["delete", "archive"])
@pytest.mark.parametrize("path", ["pool2/app", "pool2/team/app/data"])
@pytest.mark.parametrize("is_seen", [True, False], ids=["seen by its number", "seen when something is moved"])
async def test_below_another_file_system_is_no_place_for_a_volume_that_must_be_moved_at_its_end(
    lifecycle: Life, path: str, end: str, is_seen: bool
) -> None:
    share = Nested(is_seen=is_seen)
    wanted = plan(parameters={"pathPattern": path, "onDelete": end})
    for _ in range(2):
        with pytest.raises(Refused, match="another file system") as refusal:
            await lifecycle.create(wanted, share)
        assert "as a share of its own" in refusal.value.why
        assert ("begins at 'pool2'" in refusal.value.why) is is_seen
        assert wanted.path not in share.tree()
        assert record_path(wanted.pv) not in share.tree()
        assert not [path for path in share.tree() if path.startswith(f"{TRASH}/")]


async def test_a_volume_that_is_kept_at_its_end_may_lie_on_any_file_system(lifecycle: Life) -> None:
    share = Nested()
    await lifecycle.create(plan(parameters={"pathPattern": "pool2/app", "onDelete": "retain"}), share)
    assert "pool2/app" in share.tree()


async def test_the_way_out_is_tried_once_for_each_directory_in_which_volumes_are_made(lifecycle: Life) -> None:
    share = Nested()

    async def make(name: str, **parameters: str) -> int:
        before = len(share.moves)
        await lifecycle.create(plan(name, parameters=parameters), share)
        return len(share.moves) - before

    assert await make("one") == 2
    assert await make("two") == 0
    assert await make("three", **BY_NAME) == 0  # its parent is new, and so lies where the root does
    assert await make("four", **BY_NAME) == 2
    assert await make("five", **BY_NAME) == 0
    assert await make("six", directoryMode="0750") == 2  # whether it may be moved can hang on mode and owner
    assert {target for _, target in share.moves[::2]} <= {trial_path(plan(name).pv) for name in ("one", "four", "six")}


class Reluctant(MemoryShare):
    """A server that lets nobody move a directory into the trash, or out of it again."""

    def __init__(self, way: str) -> None:
        super().__init__(ADDRESS)
        self.way = way

    async def rename(self, source: str, target: str, only: Entry | None = None) -> None:
        if self.way == "in" and target.startswith(TRASH):
            raise Unavailable(SERVER, "permission", "root is squashed", status="NFS3ERR_ACCES")
        if self.way == "out" and source.startswith(TRASH):
            raise Missing(SERVER, source)
        await super().rename(source, target, only)


@pytest.mark.parametrize("way", ["in", "out"])
async def test_a_try_that_fails_is_an_outage_and_goes_well_once_the_server_lets_us(lifecycle: Life, way: str) -> None:
    share, wanted = Reluctant(way), plan(parameters=BY_NAME)
    with pytest.raises(Unavailable):
        await lifecycle.create(wanted, share)
    share.way = ""
    await lifecycle.create(wanted, share)
    assert wanted.path in share.tree()
    life = Life("cluster-1")
    assert await sweep(share, wanted, by=life) == []
    assert not [path for path in share.tree() if path.startswith(f"{TRASH}/")]
    assert await life.waiting_trash(share) == []


class Folding(MemoryShare):
    """A server that does not tell spellings apart, and keeps the first that it was given."""

    def _at(self, path: str) -> Node:
        return super()._at(self._kept(path))

    def _parent(self, path: str) -> tuple[Node, str]:
        parent, name = super()._parent(self._kept(path))
        return parent, name

    async def make_directory(
        self, path: str, *, mode: int, uid: int | None = None, gid: int | None = None, adopt: bool = False
    ) -> Made:
        return await super().make_directory(self._kept(path), mode=mode, uid=uid, gid=gid, adopt=adopt)

    def _kept(self, path: str) -> str:
        node, found = self.root, []
        for part in path.split("/") if path else []:
            name = next((one for one in node.children if fold(one) == fold(part)), part)
            found.append(name)
            node = node.children.get(name, Node("directory", 0))
        return "/".join(found)


def at(path: str, name: str, **parameters: str) -> Plan:
    return plan(name, parameters={"pathPattern": path, **parameters})


SPELLINGS = [
    pytest.param("data", "Data", id="the same"),
    pytest.param("caf\u00e9", "cafe\u0301", id="composed and decomposed"),
    pytest.param("team/data", "Team/other", id="one parent"),
    pytest.param("team", "Team/data", id="one in the other"),
    pytest.param("Team/data", "team", id="one around the other"),
]


@pytest.mark.parametrize(("first", "second"), SPELLINGS)
async def test_two_spellings_of_one_directory_are_one_directory_on_such_a_server(
    lifecycle: Life, first: str, second: str
) -> None:
    share = Folding(ADDRESS)
    one, two = at(first, "one"), at(second, "two")
    await lifecycle.create(one, share)
    lifecycle.has_pv = lambda pv: pv == one.pv
    if "other" in second:  # only a parent is shared, and parents are nobody's
        await lifecycle.create(two, share)
        return
    before = without_metadata_dir(share.tree())
    with pytest.raises(Refused, match=r"one directory on this server.*claim team/one|was there before"):
        await lifecycle.create(two, share)
    assert without_metadata_dir(share.tree()) == before
    assert record_path(two.pv) not in share.tree()


@pytest.mark.parametrize(("first", "second"), SPELLINGS)
async def test_a_server_that_tells_them_apart_serves_both(lifecycle: Life, first: str, second: str) -> None:
    share = MemoryShare(ADDRESS)
    await lifecycle.create(at(first, "one"), share)
    await lifecycle.create(at(second, "two"), share)
    assert {first, second} <= share.tree().keys()
    assert await lifecycle.release(release_plan(at(second, "two"), on_delete="archive"), share) != second
    assert first in share.tree()


async def test_an_end_takes_no_other_volume_by_another_spelling(lifecycle: Life) -> None:
    share = Folding(ADDRESS)
    live, gone = at("team/Data", "live"), at("team/data", "gone")
    await lifecycle.create(live, share)
    await share.write_file(
        record_path(gone.pv),
        (await share.read_file(record_path(live.pv)))
        .replace(live.pv.encode(), gone.pv.encode())
        .replace(b"team/Data", b"team/data"),
    )
    await share.write_file("team/Data/content", b"live")
    with pytest.raises(Refused, match="team/live"):
        await lifecycle.release(release_plan(gone, on_delete="delete"), share)
    # A reference provisioner's volume has no record: its PV tells.
    share.take_away(record_path(live.pv))
    there = among(neighbour(live.absolute_path, pv=live.pv, is_certain=False, sharing=None), overlap=False)
    with pytest.raises(Refused, match="one directory on this server"):
        await lifecycle.release(release_plan(gone, on_delete="delete", neighbours=there), share)
    assert await share.read_file("team/Data/content") == b"live"


async def test_a_name_that_the_server_takes_for_berths_own_directory_is_refused() -> None:
    class Short(MemoryShare):
        """Knows a short name for each directory, as Windows does."""

        def _at(self, path: str) -> Node:
            return super()._at(path.replace("BE4F~1", ".berth"))

        async def make_directory(
            self, path: str, *, mode: int, uid: int | None = None, gid: int | None = None, adopt: bool = False
        ) -> Made:
            path = path.replace("BE4F~1", ".berth")
            return await super().make_directory(path, mode=mode, uid=uid, gid=gid, adopt=adopt)

    for path in ("BE4F~1/volume", "BE4F~1"):
        share = Short(ADDRESS)
        with pytest.raises(Refused, match=r"'.berth' on this server|was there before"):
            await Life("cluster-1").create(at(path, "one"), share)
        assert not [path for path in share.tree() if path.endswith("volume")]


@pytest.mark.parametrize("parameters", [{}, BY_NAME], ids=["its own path", "a path by name"])
async def test_a_sweep_takes_nothing_away_from_another_clusters_try(parameters: dict[str, str]) -> None:
    class Sweeping(MemoryShare):
        """Another cluster looks through the share in the very moment of the try."""

        async def rename(self, source: str, target: str, only: Entry | None = None) -> None:
            await super().rename(source, target, only)
            if target.startswith(TRASH):
                assert await sweep(self, by=Life("cluster-2")) == []

    share, wanted = Sweeping(ADDRESS), plan(parameters=parameters)
    await Life("cluster-1").create(wanted, share)
    assert wanted.path in share.tree()
