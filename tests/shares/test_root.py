"""A share's root that is replaced behind a server's back, which goes on showing the old one to old clients."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from berth.shares.direct import session_cache
from berth.shares.direct.share import DirectShare
from berth.volumes.errors import Missing, Unavailable
from berth.volumes.lifecycle import Lifecycle
from berth.volumes.metadata_dir import require_metadata_dir
from berth.volumes.request import Census
from devcluster.ganesha import GaneshaServer
from tests.volumes.builders import plan

OpenShare = Callable[..., DirectShare]
CLUSTER = "10000000-0000-0000-0000-000000000001"


@pytest.fixture(autouse=True)
def no_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """The few seconds that a root is not asked for again are over at once."""
    monkeypatch.setattr(session_cache, "TRUSTED", 0.0)


def replace(root: Path) -> None:
    shutil.rmtree(root)
    root.mkdir()
    root.chmod(0o777)


async def test_a_controller_whose_root_was_replaced_behind_a_caching_server_goes_on_by_itself(
    server: GaneshaServer, open_share: OpenShare, version: str
) -> None:
    """Files that the server holds open keep the removed directory alive: it is empty, and nothing can be made in it.

    A new client is shown the new directory, as soon as anybody has listed what is above.
    """
    root = server.directory_of("/free") / f"replaced-v{version}"
    root.mkdir(mode=0o777)
    async with (
        aclosing(open_share(f"/free/{root.name}", version)) as share,
        aclosing(open_share("/free", version)) as above,
    ):
        lifecycle = Lifecycle(CLUSTER, living=Census())
        await lifecycle.create(plan("before"), share)
        old = await share.stat("")
        replace(root)
        await above.list("")
        await lifecycle.create(plan("after"), share)
        assert (await share.stat("")).identity != old.identity
        assert (root / plan("after").path).is_dir()
        assert (root / ".berth/share.json").is_file()


@pytest.mark.parametrize("name", ["stat", "list", "list of the root", "read", "rename", "remove_tree", "home"])
async def test_whatever_is_asked_of_it_is_answered_by_the_new_root(
    server: GaneshaServer, open_share: OpenShare, version: str, name: str
) -> None:
    root = server.directory_of("/free") / f"asked-v{version}-{name.replace(' ', '-')}"
    root.mkdir(mode=0o777)
    async with (
        aclosing(open_share(f"/free/{root.name}", version)) as share,
        aclosing(open_share("/free", version)) as above,
    ):
        lifecycle = Lifecycle(CLUSTER, living=Census())
        await lifecycle.create(plan("before"), share)
        replace(root)
        await above.list("")
        # What is there now was put there by somebody else.
        async with aclosing(open_share(f"/free/{root.name}", version)) as other:
            await Lifecycle(CLUSTER, living=Census()).create(plan("after"), other)
            await other.make_directory(".berth/trash/pv/d", mode=0o700)
        match name:
            case "stat":
                assert (await share.stat(plan("after").path)).kind == "directory"
            case "list":
                assert len(await share.list(".berth/clusters")) == 1
            case "list of the root":
                assert ".berth" in {entry.name for entry in await share.list("")}
            case "read":
                assert await share.read_file(".berth/share.json") == (root / ".berth/share.json").read_bytes()
            case "rename":
                await share.rename(plan("after").path, ".berth/trash/moved")
                assert (root / ".berth/trash/moved").is_dir()
            case "remove_tree":
                assert (await share.remove_tree(".berth/trash/pv")).entries == 2
                assert not (root / ".berth/trash/pv").exists()
            case _:
                await require_metadata_dir(share, frozenset({CLUSTER}))


async def test_a_root_that_the_server_shows_to_nobody_is_told_as_such(
    server: GaneshaServer, open_share: OpenShare, version: str
) -> None:
    root = server.directory_of("/free") / f"dead-v{version}"
    root.mkdir(mode=0o777)
    async with aclosing(open_share(f"/free/{root.name}", version)) as share:
        lifecycle = Lifecycle(CLUSTER, living=Census())
        await lifecycle.create(plan("before"), share)
        replace(root)
        with pytest.raises(Unavailable, match="exportfs -r") as caught:
            await share.make_directory("d", mode=0o755)
        assert caught.value.stage == "mount"
        async with aclosing(open_share("/free", version)) as above:
            await above.list("")  # so that the server looks again
        assert (await share.make_directory("d", mode=0o755)).is_new
    assert os.listdir(root) == ["d"]


async def test_what_is_really_missing_stays_missing_on_the_same_connection(
    open_share: OpenShare, version: str, server: GaneshaServer
) -> None:
    async with aclosing(open_share("/free", version)) as share:
        await share.stat("")
        with pytest.raises(Missing):
            await share.stat("gone")
        held = share.calls
        await asyncio.gather(*(share.make_directory(f"root-v{version}-{number}", mode=0o755) for number in range(8)))
        assert share.calls == held + 8
        for number in range(8):
            await share.remove_directory(f"root-v{version}-{number}")
