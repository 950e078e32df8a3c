"""Killed, cut off or cancelled at any call (I4, I5, I6): the same once more, by a fresh process, ends as if nothing had
happened, and nobody else's directory was ever touched.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from berth.volumes.errors import Unavailable
from berth.volumes.naming import archive_name, record_path, trash_path
from berth.volumes.plan import Plan
from berth.volumes.release import ReleasePlan
from berth.volumes.share import Share
from tests.volumes.bench import Bench
from tests.volumes.builders import Life, plan, release_plan
from tests.volumes.directory import DirectoryShare
from tests.volumes.faults import HOWS, Failing, How, Killed, is_done_within
from tests.volumes.memory import MemoryShare

CLUSTER, OTHER_CLUSTER = "cluster-1", "cluster-2"
DATA = b"precious"

PATTERNS = {
    "a path of its own": {},
    "a path by name": {"pathPattern": "${.PVC.namespace}/${.PVC.name}"},
    "a path far down": {"pathPattern": "k8s/${.PVC.namespace}/volumes/${.PVC.name}/data"},
}

Work = Callable[[Life, Share], Awaitable[object]]


@dataclass
class World:
    """A share with other people's directories on it, and one volume that a test is about."""

    share: Bench
    volume: Plan
    is_recorded: bool
    """Whether its directory never is without a record: a reference provisioner's is, until its end."""
    others: dict[str, str]
    """All that is on the share but is not this volume's: it must stay as it is."""

    @classmethod
    def of(cls, share: Bench, volume: Plan) -> World:
        own = (volume.path, record_path(volume.pv))
        tree = share.tree()
        is_recorded = record_path(volume.pv) in tree or volume.path not in tree
        return cls(share, volume, is_recorded, {path: tree[path] for path in tree if not path.startswith(own)})

    def ending(self, end: str, parameters: dict[str, str]) -> ReleasePlan:
        return release_plan(self.volume, parameters=parameters, on_delete=end)

    def check_others(self) -> None:
        """Nothing of others has gone or changed, and nothing has come but where Berth may put things (I1)."""
        tree = self.share.tree()
        assert {path: tree.get(path) for path in self.others} == self.others
        for path in tree.keys() - self.others.keys():
            is_own = path.startswith((self.volume.path, "archived-", ".berth"))
            assert is_own or self.volume.path.startswith(f"{path}/")

    def below(self, path: str) -> list[str]:
        return [what for found, what in self.share.tree().items() if found.startswith(f"{path}/")]

    def archives(self) -> list[str]:
        """Directories in the share's root that hold this volume's data as archives."""
        data = f"file 0600 0:0 {DATA.decode()}"
        return [
            path.partition("/")[0] for path, what in self.share.tree().items() if what == data and "archived-" in path
        ]


async def make_world(
    parameters: dict[str, str], *, is_made: bool = True, with_record: bool = True, share: Bench | None = None
) -> World:
    """A share with all sorts of things on it, and the volume if it is_made. In memory, unless another is given."""
    volume = plan(parameters=parameters)
    share = share or MemoryShare(volume.share)
    for path in ("home/photos", "team-data", "team/data2", "k8s/team/volumes/data2/data", "archived-old"):
        await share.make_directory(path, mode=0o755)
        await share.write_file(f"{path}/content", b"not ours")
    await share.make_directory(plan("by the reference").path, mode=0o777)
    neighbour = Life(CLUSTER)
    await neighbour.create(plan("neighbour"), share)
    await share.write_file(f"{plan('neighbour').path}/content", b"a neighbour's")
    foreigner = Life(OTHER_CLUSTER)
    await foreigner.create(plan("foreign", parameters={"pathPattern": "elsewhere/${.PVC.name}"}), share)
    gone = plan("foreign and gone", parameters={"pathPattern": "elsewhere/gone"})
    await foreigner.create(gone, share)
    await foreigner.release(release_plan(gone, on_delete="delete"), share)
    if is_made:
        await Life(CLUSTER).create(volume, share)
        await share.make_directory(f"{volume.path}/sub", mode=0o700)
        await share.write_file(f"{volume.path}/content", DATA)
        if not with_record:
            share.take_away(record_path(volume.pv))
    return World.of(share, volume)


def timeless(tree: dict[str, str]) -> dict[str, str]:
    """The same without moments and identities, which differ from run to run."""

    def plain(text: str) -> str:
        text = re.sub(r"\d{4}-?\d\d-?\d\dT\d\d:?\d\d:?\d\dZ", "<moment>", text)
        return re.sub(r'"id": "[-0-9a-f]+"', '"id": "<id>"', text)

    return {plain(path): plain(what) for path, what in tree.items()}


async def interrupt_everywhere(make: Callable[[], Awaitable[World]], work: Work, how: How) -> None:
    """Does work with a fault at the first call, then does it again; with a fault at the second call, and so on."""
    smooth = await make()
    answer = await work(Life(CLUSTER), smooth.share)
    for at in count(1):
        world = await make()
        failing = Failing(world.share, at, how)
        with suppress(Killed, Unavailable):
            await work(Life(CLUSTER), failing)
        if not failing.has_failed:
            assert at > 3, "nothing was interrupted"
            return
        world.check_others()
        check_half_done(world)
        assert await work(Life(CLUSTER), world.share) == answer
        assert timeless(world.share.tree()) == timeless(smooth.share.tree())
        world.check_others()


def check_half_done(world: World) -> None:
    """Whatever was interrupted: nobody sees half a volume, and no directory is without a record that explains it."""
    tree, volume = world.share.tree(), world.volume
    places = [path for path in (volume.path, trash_path(volume.pv), *world.archives()) if path in tree]
    assert len(places) <= 1
    if volume.path in tree:
        assert tree[volume.path].startswith("directory 0777")
    if trash_path(volume.pv) in tree or (volume.path in tree and world.is_recorded):
        assert record_path(volume.pv) in tree
    for place in places:
        assert world.below(place) in ([], ["file 0600 0:0 precious", "directory 0700 0:0 "])
    for archive in world.archives():
        assert f".berth/archives/{archive}.json" in tree


parametrize_patterns = pytest.mark.parametrize("parameters", PATTERNS.values(), ids=PATTERNS.keys())
parametrize_how = pytest.mark.parametrize("how", HOWS)


@parametrize_how
@parametrize_patterns
async def test_a_creation_that_was_interrupted_anywhere_ends_well_when_repeated(
    parameters: dict[str, str], how: How
) -> None:
    async def make() -> World:
        return await make_world(parameters, is_made=False)

    async def create(lifecycle: Life, share: Share) -> None:
        await lifecycle.create(plan(parameters=parameters), share)

    await interrupt_everywhere(make, create, how)


@parametrize_how
async def test_the_very_first_creation_on_a_share_ends_well_when_repeated(how: How) -> None:
    async def make() -> World:
        return World.of(MemoryShare(plan().share), plan())

    async def create(lifecycle: Life, share: Share) -> None:
        await lifecycle.create(plan(), share)

    await interrupt_everywhere(make, create, how)


@parametrize_how
@parametrize_patterns
@pytest.mark.parametrize("end", ["delete", "archive", "retain"])
async def test_a_release_that_was_interrupted_anywhere_ends_well_when_repeated(
    parameters: dict[str, str], how: How, end: str
) -> None:
    async def release(lifecycle: Life, share: Share) -> str:
        return await lifecycle.release(release_plan(plan(parameters=parameters), on_delete=end), share)

    await interrupt_everywhere(lambda: make_world(parameters), release, how)


@parametrize_how
@pytest.mark.parametrize("end", ["delete", "archive"])
async def test_a_release_of_a_volume_without_a_record_ends_well_when_repeated(how: How, end: str) -> None:
    async def release(lifecycle: Life, share: Share) -> str:
        return await lifecycle.release(release_plan(plan(), on_delete=end, share=""), share)

    await interrupt_everywhere(lambda: make_world({}, with_record=False), release, how)


@parametrize_how
@pytest.mark.parametrize("has_metadata", [True, False], ids=["Berth's", "the reference's"])
async def test_an_archive_whose_name_is_taken_ends_well_when_repeated(how: How, has_metadata: bool) -> None:
    parameters = PATTERNS["a path by name"]
    taken = archive_name(plan(parameters=parameters).path)

    async def make() -> World:
        world = await make_world(parameters)
        if has_metadata:
            earlier = plan("earlier", parameters={"pathPattern": "team-data"})
            world.share.take_away("team-data")
            await Life(CLUSTER).create(earlier, world.share)
            assert await Life(CLUSTER).release(release_plan(earlier, on_delete="archive"), world.share) == taken
        else:
            await world.share.make_directory(taken, mode=0o755)
            await world.share.write_file(f"{taken}/content", b"the reference's")
        return World.of(world.share, world.volume)

    async def release(lifecycle: Life, share: Share) -> bool:
        name = await lifecycle.release(release_plan(plan(parameters=parameters), on_delete="archive"), share)
        return re.fullmatch(re.escape(taken) + r"-\d{8}T\d{6}Z", name) is not None

    await interrupt_everywhere(make, release, how)


@parametrize_patterns
async def test_a_purge_that_was_cancelled_anywhere_goes_on_when_repeated(parameters: dict[str, str]) -> None:
    for steps in count():
        world = await make_world(parameters)
        await Life(CLUSTER).release(world.ending("delete", parameters), world.share)
        is_done = await is_done_within(steps, Life(CLUSTER).purge(world.volume.pv, world.share))
        tree = world.share.tree()
        assert trash_path(world.volume.pv) not in tree or record_path(world.volume.pv) in tree
        fresh = Life(CLUSTER)
        for pv in await fresh.waiting_trash(world.share):
            assert pv == world.volume.pv
            await fresh.purge(pv, world.share)
        fresh.has_pv = lambda pv: pv == plan("neighbour").pv
        await fresh.sweep(world.share)
        assert trash_path(world.volume.pv) not in world.share.tree()
        assert record_path(world.volume.pv) not in world.share.tree()
        world.check_others()
        if is_done:
            assert steps > 4
            return


@parametrize_patterns
@pytest.mark.parametrize("end", ["delete", "archive", "retain"])
async def test_a_life_that_is_cancelled_at_any_turn_of_the_loop_ends_well(parameters: dict[str, str], end: str) -> None:
    async def live(lifecycle: Life, world: World) -> None:
        await lifecycle.release(world.ending(end, parameters), world.share)

    for steps in count():
        world = await make_world(parameters)
        is_done = await is_done_within(steps, live(Life(CLUSTER), world))
        check_half_done(world)
        await live(Life(CLUSTER), world)
        world.check_others()
        assert len(world.archives()) == (1 if end == "archive" else 0)
        assert (world.volume.path in world.share.tree()) is (end == "retain")
        assert (trash_path(world.volume.pv) in world.share.tree()) is (end == "delete")
        if is_done:
            return


@pytest.mark.slow
@pytest.mark.parametrize("part", ["create", "delete", "archive", "retain"])
async def test_what_is_killed_at_any_call_ends_well_on_a_real_share_too(tmp_path: Path, part: str) -> None:
    parameters = PATTERNS["a path by name"]
    wanted = plan(parameters=parameters)
    shares: list[DirectoryShare] = []

    async def make() -> World:
        directory = tmp_path / str(len(shares))
        directory.mkdir()
        shares.append(DirectoryShare(directory, wanted.share))
        return await make_world(parameters, is_made=part != "create", share=shares[-1])

    async def work(lifecycle: Life, share: Share) -> None:
        if part == "create":
            await lifecycle.create(wanted, share)
            return
        await lifecycle.release(release_plan(wanted, on_delete=part), share)
        for pv in await lifecycle.waiting_trash(share):
            await lifecycle.purge(pv, share)

    try:
        await interrupt_everywhere(make, work, "killed after")
    finally:
        for share in shares:
            await share.aclose()


@parametrize_how
async def test_a_sweep_that_was_interrupted_anywhere_ends_well_when_repeated(how: How) -> None:
    parameters = PATTERNS["a path by name"]

    async def make() -> World:
        world = await make_world(parameters, is_made=False)
        await Life(CLUSTER).create(world.volume, world.share)
        return world

    async def sweep(lifecycle: Life, share: Share) -> object:
        live = plan("neighbour").pv
        lifecycle.has_pv = lambda pv: pv == live
        return await lifecycle.sweep(share)

    await interrupt_everywhere(make, sweep, how)
