"""Provisioned volumes in the hands of the kernel's own client; test_kernel_client has pytest run this in the guest."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from lightkube.resources.core_v1 import PersistentVolume

from berth.objects import translation
from berth.objects.kinds import ClaimObject, ClaimSpec, ClassObject, Meta, Resources, VolumeObject
from berth.shares.choose import Shares
from berth.shares.mounted.share import MountedShare
from berth.volumes.lifecycle import Lifecycle
from berth.volumes.plan import DefaultShare, make_plan
from berth.volumes.release import ReleasePlan, make_release_plan
from berth.volumes.request import Census, End, Neighbour
from berth.volumes.share import Share
from tests.kernel.guest.kernel_places import ROOT, SERVER
from tests.kernel.guest.pods import DEADLINE, Failed, Pod, mount, options_of, pods

NOWHERE = DefaultShare()
GONE = {"ESTALE", "ENOENT"}
"""What a client may be told about a file that was removed behind its back."""
VERSIONS = ("3", "4.2")

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Provisioned:
    """A volume, as the controller makes it, and what it is to be released with."""

    pv: PersistentVolume
    share: Share
    lifecycle: Lifecycle
    directory: Path
    """The volume on the server."""

    async def release(self) -> str:
        """What the reclaim reconciler does once the claim is gone. Answers where the volume is now, on the server."""
        return await self.lifecycle.release(self.release_plan(), self.share)

    def release_plan(self) -> ReleasePlan:
        # As the API server would hand it back.
        volume = msgspec.json.decode(msgspec.json.encode(self.pv.to_dict()), type=VolumeObject)
        return make_release_plan(translation.release_request_of(volume, None), NOWHERE, _nobody)

    async def purge(self) -> None:
        [pv] = await self.lifecycle.waiting_trash(self.share)
        await self.lifecycle.purge(pv, self.share)


def _nobody(_server: str, _path: str, _without: str) -> list[Neighbour]:
    return []


@asynccontextmanager
async def provisioned(version: str, end: End) -> AsyncIterator[Provisioned]:
    """A volume on a share of its own, for a claim of a class that mounts with that version and ends so."""
    number = next(_numbers)
    export = f"/free/cluster-{number}"
    (ROOT / export.removeprefix("/")).mkdir()
    storage_class = ClassObject(
        metadata=Meta(name="nfs"),
        provisioner="nfs.berth.io",
        parameters={"server": SERVER, "share": export, "onDelete": end},
        mountOptions=[f"nfsvers={version}", "hard", "noatime"],
    )
    claim = ClaimObject(
        metadata=Meta(name="data", namespace="team", uid=f"00000000-0000-0000-0000-{number:012}"),
        spec=ClaimSpec("nfs", accessModes=["ReadWriteMany"], resources=Resources({"storage": "1Gi"})),
    )
    shares, lifecycle = Shares(timeout=DEADLINE), Lifecycle("10000000-0000-0000-0000-000000000001", living=Census())
    plan = make_plan(translation.request_of(claim, storage_class), NOWHERE, _nobody)
    try:
        share = await shares.get(plan.share)
        await lifecycle.create(plan, share)
        pv = translation.pv_of(plan, claim, storage_class)
        yield Provisioned(pv, share, lifecycle, ROOT / plan.absolute_path.removeprefix("/"))
    finally:
        await shares.aclose()


@pytest.mark.parametrize("version", VERSIONS)
async def test_is_written_by_root_and_by_others(version: str) -> None:
    async with provisioned(version, "retain") as volume:
        with mount(volume.pv) as mounted, pods(mounted, 0, 1000) as (root, other):
            assert {f"vers={version}", "hard", "noatime"} <= options_of(mounted)
            root.do("write", "of-root", "root's")
            other.do("write", "of-1000", "1000's")
            assert (root.do("read", "of-1000"), other.do("read", "of-root")) == ("1000's", "root's")
            assert other.do("list") == ["of-1000", "of-root"]
        assert {path.name: path.stat().st_uid for path in volume.directory.iterdir()} == {"of-root": 0, "of-1000": 1000}
        assert (volume.directory / "of-1000").read_text() == "1000's"


@pytest.mark.parametrize("version", VERSIONS)
async def test_is_deleted_and_purged_while_mounted(version: str) -> None:
    async with provisioned(version, "delete") as volume:
        with mount(volume.pv) as mounted, pods(mounted, 0, 1000) as running:
            for pod in running:
                pod.do("write", f"held-{id(pod)}", "first, ")
                pod.do("hold", f"held-{id(pod)}")
            where = await volume.release()
            assert where.startswith(".berth/trash/")
            assert not volume.directory.exists()
            for pod in running:  # the rename takes nothing away from who has it open
                pod.do("append", f"held-{id(pod)}", "last")
                assert pod.do("reread", f"held-{id(pod)}") == "first, last"
            await volume.purge()
            assert await volume.lifecycle.waiting_trash(volume.share) == []
            assert os.listdir(volume.directory.parent / ".berth/trash") == []
            for pod in running:  # from the client's cache or, in v4, because the server keeps it open; else it is gone
                assert _answer(pod, "reread", f"held-{id(pod)}") in {"first, last", *GONE}
                assert _answer(pod, "write", "late", "too late") in GONE
        assert os.listdir(volume.directory.parent) == [".berth"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_is_archived_while_mounted(version: str) -> None:
    async with provisioned(version, "archive") as volume:
        with mount(volume.pv) as mounted, pods(mounted, 0, 1000) as (root, other):
            root.do("write", "of-root", "root's")
            other.do("write", "held", "first, ")
            other.do("hold", "held")
            archive = volume.directory.parent / await volume.release()
            assert archive.name.startswith("archived-team-data-pvc-")
            assert not volume.directory.exists()
            other.do("append", "held", "last")  # what was begun is finished, in the archive
            assert other.do("reread", "held") == "first, last"
            assert root.do("read", "of-root") == "root's"
        assert {path.name: path.read_text() for path in archive.iterdir()} == {
            "of-root": "root's",
            "held": "first, last",
        }
        assert await volume.lifecycle.waiting_trash(volume.share) == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_file_is_read_whole_while_others_replace_it(version: str) -> None:
    async with provisioned(version, "retain") as volume:
        path, contents = f"{volume.directory.name}/file", {b"A" * 30_000, b"B" * 10, b"C" * 70_000}

        async def replace() -> None:
            for _ in range(30):
                for content in contents:
                    await volume.share.write_file(path, content)

        await volume.share.write_file(path, b"B" * 10)
        with mount(volume.pv) as mounted:
            async with aclosing(MountedShare(str(mounted), volume.share.address, deadline=DEADLINE)) as reader:
                seen, replacing = set(), asyncio.create_task(replace())
                while not replacing.done():
                    seen.add(await reader.read_file("file"))
                await replacing
        assert seen <= contents


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_listing_takes_few_calls(version: str) -> None:
    """Linux's server sends all that is asked for with each name; nothing is looked up one by one."""
    async with provisioned(version, "delete") as volume:
        for number in range(200):
            (volume.directory / str(number)).touch()
        before = _calls_served()
        assert len(await volume.share.list(volume.directory.name)) == 200
        assert _calls_served() - before < 20


def _answer(pod: Pod, *deed: str) -> object:
    """What came of it, or what the kernel said against it."""
    try:
        return pod.do(*deed)
    except Failed as failed:
        return failed.code


def _calls_served() -> int:
    """How many calls the kernel's server has answered since its start."""
    [line] = [line for line in Path("/proc/net/rpc/nfsd").read_text().splitlines() if line.startswith("rpc ")]
    return int(line.split()[1])
