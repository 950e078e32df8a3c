"""Moves that come late, and moves where root is squashed: never another directory, and nobody gains a right by one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path

import pytest

from berth.nfs import Resolver, v3, v4
from berth.shares.direct.share import DirectShare
from berth.shares.mounted import changes
from berth.shares.mounted.openat import PASS, Root
from berth.volumes.errors import Missing
from berth.volumes.share import Entry, ShareAddress
from devcluster.ganesha import GaneshaServer
from tests.e2e.nfs_calls import change_in
from tests.shares.link import Link

OpenShare = Callable[..., DirectShare]
Ids = frozenset[int]


def is_rename(said: bytes) -> bool:
    return change_in(said[4:]) == "RENAME"


@pytest.mark.parametrize("has_more", [True, False], ids=["another directory", "nothing"])
async def test_a_rename_that_comes_late_moves_no_other_directory(
    server: GaneshaServer, open_share: OpenShare, has_more: bool
) -> None:
    """A leader that was stopped after its last look, while another one served the same path anew."""
    behind = server.directory_of("/free")
    async with Link(server.host, server.port) as link, aclosing(open_share("/free", "4")) as new_leader:
        target = ShareAddress("127.0.0.1", "/free", version="4", port=link.port)
        async with aclosing(DirectShare(target, Resolver())) as old_leader:
            await old_leader.make_directory(".berth/trash", mode=0o700)
            await old_leader.make_directory("late/volume", mode=0o777)
            link.holds = is_rename
            late = asyncio.create_task(old_leader.rename("late/volume", ".berth/trash/old"))
            await asyncio.wait({late, asyncio.ensure_future(link.held.wait())}, return_when=asyncio.FIRST_COMPLETED)
            assert link.held.is_set(), late
            await new_leader.rename("late/volume", ".berth/trash/new")
            if has_more:
                await new_leader.make_directory("late/volume", mode=0o777)
                (behind / "late/volume/precious").write_text("data of another claim")
            link.released.set()
            with pytest.raises(Missing) as caught:
                await late
            assert caught.value.path == "late/volume"
            assert os.listdir(behind / ".berth/trash") == ["new"]
            assert os.listdir(behind / "late") == (["volume"] if has_more else [])
            await new_leader.remove_tree(".berth/trash/new")
    if has_more:
        (behind / "late/volume/precious").unlink()
        (behind / "late/volume").rmdir()


@pytest.mark.parametrize("is_told", [True, False], ids=["told which", "as found"])
def test_a_mounted_directory_that_changes_places_on_the_way_stays(tmp_path: Path, is_told: bool) -> None:
    class Meanwhile(Root):
        """The root of a share where another directory gets the name while the target is looked at."""

        def look(self, directory: int, parts: Sequence[str]) -> Entry:
            if parts[-1] == "target":
                (tmp_path / "volume").rename(tmp_path / "elsewhere")
                (tmp_path / "volume").mkdir()
            return super().look(directory, parts)

    (tmp_path / "volume").mkdir()
    descriptor = os.open(tmp_path, PASS)
    try:
        meant = Root(descriptor, "share").stat(["volume"]) if is_told else None
        with pytest.raises(Missing):
            changes.rename(Meanwhile(descriptor, "share"), ["volume"], ["target"], meant)
    finally:
        os.close(descriptor)
    assert set(os.listdir(tmp_path)) == {"elsewhere", "volume"}


PARENTS, OWNER, GROUP = 1000, 2000, 3000
WHO: dict[str, tuple[int, Ids]] = {
    "a stranger": (4000, frozenset({4000})),
    "one of its group": (4000, frozenset({GROUP})),
    "one of root's group": (4000, frozenset({0})),
}
"""Who must not gain a right to a volume by its move: user and groups."""


def rights(of: os.stat_result, user: int, groups: Ids) -> int:
    """What the mode gives to a user (07)."""
    if user == of.st_uid:
        return of.st_mode >> 6 & 7
    return of.st_mode >> 3 & 7 if of.st_gid in groups else of.st_mode & 7


class Killed(BaseException):
    """The process is gone."""


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch, look: Callable[[], None], dies_at: int) -> Iterator[list[str]]:
    """Looks before and after each call that changes attributes or names; from the dies_at-th on none is made."""
    made: list[str] = []

    def watch(kind: type, name: str) -> None:
        original = getattr(kind, name)

        async def watching(*arguments: object, **options: object) -> object:
            look()
            made.append(name)
            if len(made) >= dies_at:
                raise Killed
            try:
                return await original(*arguments, **options)
            finally:
                look()

        patch.setattr(kind, name, watching)

    with monkeypatch.context() as patch:
        for kind in (v3.SessionV3, v4.SessionV4):
            watch(kind, "change")
            watch(kind, "rename")
        yield made


@pytest.mark.parametrize("group", [GROUP, 0])
@pytest.mark.parametrize("mode", [0o700, 0o2750, 0o705, 0o3505, 0o770, 0o1751, 0o000])
async def test_where_root_is_squashed_nobody_gains_a_right_by_a_move_however_it_ends(
    server: GaneshaServer,
    open_share: OpenShare,
    version: str,
    monkeypatch: pytest.MonkeyPatch,
    mode: int,
    group: int,
) -> None:
    behind = server.directory_of("/squashed")
    os.chown(behind, PARENTS, PARENTS)
    name = f"v{version}-{mode:o}-{group}"
    steps = 0
    for dies_at in range(1, 20):
        async with aclosing(open_share("/squashed", version)) as share:
            await share.make_directory(".berth/trash", mode=0o700)
            volume = behind / name
            volume.mkdir()
            (volume / "file").touch()
            os.chown(volume, OWNER, group)
            volume.chmod(mode)
            before = volume.stat()
            at = os.open(volume, os.O_PATH)

            def look(at: int = at, before: os.stat_result = before) -> None:
                now = os.stat(at)
                for who, (user, groups) in WHO.items():
                    gained = rights(now, user, groups) & ~rights(before, user, groups)
                    assert not gained, f"{who} gained {gained:o}, when it was {now.st_mode:o} of {now.st_gid}"

            try:
                with watched(monkeypatch, look, dies_at) as made, suppress(Killed):
                    await share.rename(name, f".berth/trash/{name}")
                look()
                steps = max(steps, len(made))
                if volume.exists():
                    await share.rename(name, f".berth/trash/{name}")
                look()
                after = os.stat(at)
            finally:
                os.close(at)
            assert after.st_uid == OWNER
            assert not volume.exists()
            moved = behind / f".berth/trash/{name}"
            assert (moved / "file").exists()
            if len(made) < dies_at:  # it was not killed
                assert group == 0 or (after.st_mode & 0o7777, after.st_gid) == (mode, group)
                break
            await share.remove_tree(f".berth/trash/{name}")
    else:
        pytest.fail("it never came to its end")
    assert steps >= 4
    async with aclosing(open_share("/squashed", version)) as share:
        await share.remove_tree(f".berth/trash/{name}")


async def test_what_its_own_owner_may_not_write_to_is_moved_by_him(
    server: GaneshaServer, open_share: OpenShare, version: str
) -> None:
    behind = server.directory_of("/squashed")
    os.chown(behind, PARENTS, PARENTS)
    async with aclosing(open_share("/squashed", version)) as share:
        await share.make_directory(".berth/trash", mode=0o700)
        (behind / "own").mkdir()
        os.chown(behind / "own", PARENTS, GROUP)
        (behind / "own").chmod(0o2550)
        await share.rename("own", ".berth/trash/own")
        after = (behind / ".berth/trash/own").stat()
        assert (after.st_mode & 0o7777, after.st_uid, after.st_gid) == (0o2550, PARENTS, GROUP)
        await share.remove_tree(".berth/trash/own")
