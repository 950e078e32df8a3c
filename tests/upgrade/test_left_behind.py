"""What released versions left behind is read by this one: served, expanded, ended in each way, and brought back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from berth.kube.access import read_cluster_uid
from berth.operations.restore import find_volumes, restore
from berth.shares.choose import Shares
from berth.shares.mounted.share import MountedShare
from berth.volumes.plan import DefaultShare
from berth.volumes.share import ShareAddress
from tests.fake_api.store import Json
from tests.reconcilers.rig import ADDRESS as OF_RIG
from tests.reconcilers.rig import PVS, Rig
from tests.upgrade.fixture import ADDRESS, VERSIONS, objects, unpack

CLAIMS = [
    "grown", "in-archives", "in-deletes", "in-keeps", "in-modes", "in-nested", "in-shares-1", "in-shares-2", "photos",
]  # fmt: skip
"""Those that were served when the version stopped."""


class Left:
    """A share and a cluster as a version left them, and today's loops on them."""

    def __init__(self, version: str, directory: Path) -> None:
        unpack(version, directory)
        self.root = directory
        found = objects(version)
        uid = next(one["metadata"]["uid"] for one in found if one["metadata"]["name"] == "kube-system")
        share = MountedShare(str(directory), ADDRESS, requires_mount=False)
        self.rig = Rig(uid=uid, share=share)
        for one in found:
            self.rig.server.put(one)
        self.rig.look()

    def claim(self, name: str) -> Json:
        found = self.rig.server.find("PersistentVolumeClaim", name, "team")
        assert found is not None, name
        return found

    def pv(self, claim: str) -> Json:
        """The PV of a claim that is or was."""
        found = [one for one in self.rig.server.store.all_in(PVS) if one["spec"]["claimRef"]["name"] == claim]
        assert len(found) == 1, f"{claim}: {len(found)} PVs"
        return found[0]

    def record(self, claim: str, folder: str = "volumes") -> dict[str, Any]:
        """The record of a claim's volume."""
        files = (self.root / ".berth" / folder).glob("*.json")
        found = [one for one in (json.loads(file.read_text()) for file in files) if one["claim"] == claim]
        assert len(found) == 1, f"{claim}: {len(found)} records"
        return dict(found[0])

    def has_record(self, pv: str) -> bool:
        return (self.root / ".berth" / "volumes" / f"{pv}.json").exists()

    def data(self, path: str) -> str:
        """What the claim's owner had written."""
        return (self.root / path / "sentinel").read_text()

    async def end(self, claim: str) -> tuple[str, str]:
        """Its claim goes, and what follows is done; its PV's name, and where its directory was."""
        pv = self.pv(claim)
        name, path = pv["metadata"]["name"], pv["spec"]["nfs"]["path"].removeprefix(f"{ADDRESS.export}/")
        self.rig.server.drop("PersistentVolumeClaim", claim, "team")
        self.rig.server.change("PersistentVolume", name, {"status": {"phase": "Released"}})
        self.rig.look()
        await self.rig.reclaim(name)
        self.rig.look()
        await self.purge()
        return name, path

    async def purge(self) -> None:
        """The trash is looked through, and what is to be purged is."""
        await self.rig.sweep(self.rig.sweep.key_for(ADDRESS))
        while self.rig.trashed:
            await self.rig.purge(self.rig.purge.key_for(ADDRESS, self.rig.trashed.pop()))


@pytest.fixture(params=VERSIONS)
def left(request: pytest.FixtureRequest, tmp_path: Path) -> Left:
    return Left(request.param, tmp_path)


def test_versions_are_kept() -> None:
    assert "0.1.0" in VERSIONS
    assert ADDRESS == OF_RIG


async def test_nothing_that_is_there_is_doubtful(left: Left) -> None:
    outcome = await left.rig.sweep(left.rig.sweep.key_for(ADDRESS))
    assert outcome.notes == ()
    assert left.rig.figure("berth_displaced_volumes", share=str(ADDRESS)) == 0
    assert sorted(left.record(name)["claim"] for name in CLAIMS) == CLAIMS


async def test_a_claim_that_waited_is_served(left: Left) -> None:
    await left.rig.provision("team/waiting")
    pv = left.pv("waiting")
    assert (left.root / pv["spec"]["nfs"]["path"].removeprefix(f"{ADDRESS.export}/")).is_dir()
    assert left.record("waiting")["format"] >= 1


@pytest.mark.parametrize("claim", ["in-deletes", "in-nested", "grown", "in-modes"])
async def test_a_volume_is_deleted(left: Left, claim: str) -> None:
    name, path = await left.end(claim)
    assert not (left.root / path).exists()
    assert not left.has_record(name)
    assert not (left.root / ".berth" / "trash" / name).exists()
    assert left.rig.pv(name) is None


async def test_a_volume_is_archived(left: Left) -> None:
    _, path = await left.end("in-archives")
    assert left.data(f"archived-{path}") == "the data of in-archives\n"
    assert left.record("in-archives", "archives")["archived"]


@pytest.mark.parametrize("claim", ["in-keeps", "photos"])
async def test_a_volume_is_kept(left: Left, claim: str) -> None:
    """Also one that was adopted, though its class says delete."""
    _, path = await left.end(claim)
    assert left.data(path) == f"the data of {claim}\n"
    assert left.record(claim)["released"]


async def test_a_directory_that_two_share_goes_with_the_last(left: Left) -> None:
    _, path = await left.end("in-shares-1")
    assert left.data(path) == "the data of in-shares-2\n"
    await left.end("in-shares-2")
    assert not (left.root / path).exists()


async def test_a_volume_grows(left: Left) -> None:
    size = {"spec": {"resources": {"requests": {"storage": "5Gi"}}}}
    left.rig.server.change("PersistentVolumeClaim", "grown", size, "team")
    left.rig.look()
    await left.rig.expand("team/grown")
    assert left.pv("grown")["spec"]["capacity"]["storage"] == "5Gi"
    assert left.record("grown")["capacity"] == 5 << 30


async def test_what_could_not_be_purged_is(left: Left) -> None:
    name = left.record("left-behind")["pv"]
    assert left.record("left-behind")["stuck"]
    await left.purge()
    assert not left.has_record(name)
    assert not (left.root / ".berth" / "trash" / name).exists()


async def test_what_is_half_deleted_is_not_purged_before_its_pv_is_gone(left: Left) -> None:
    name = left.pv("half-deleted")["metadata"]["name"]
    await left.purge()
    assert left.data(f".berth/trash/{name}") == "the data of half-deleted\n"
    left.rig.server.drop("PersistentVolume", name)
    left.rig.look()
    await left.purge()
    assert not (left.root / ".berth" / "trash" / name).exists()
    assert not left.has_record(name)


@pytest.mark.parametrize(("claim", "folder"), [("left-behind", "volumes"), ("archived", "archives")])
async def test_a_volume_comes_back(left: Left, claim: str, folder: str) -> None:
    record = left.record(claim, folder)
    shares = cast("Shares", left.rig.shares)
    wanted = await find_volumes(left.rig.api, shares, (record["pv"],), DefaultShare(ADDRESS.server, ADDRESS.export))
    (done,) = await restore(left.rig.api, shares, wanted, patience=0)
    assert (done.claim, done.path, done.is_kept) == (f"team/{claim}", record["path"], True)
    assert (left.root / record["path"]).is_dir()
    if claim == "archived":
        assert left.data(record["path"]) == "the data of archived\n"
    assert left.pv(claim)["spec"]["claimRef"]["namespace"] == "team"


async def test_a_kept_directory_goes_back_to_its_claim(left: Left) -> None:
    again = {**left.claim("waiting"), "metadata": {**left.claim("waiting")["metadata"], "name": "kept"}}
    again["metadata"]["uid"] = "11111111-2222-3333-4444-555555555555"
    again["spec"] = {**again["spec"], "storageClassName": "keeps"}
    left.rig.server.put(again)
    left.rig.look()
    await left.rig.provision("team/kept")
    path = left.pv("kept")["spec"]["nfs"]["path"].removeprefix(f"{ADDRESS.export}/")
    assert left.data(path) == "the data of kept\n"


async def test_the_cluster_is_the_one_that_it_was(left: Left) -> None:
    assert await read_cluster_uid(left.rig.api) == left.record("grown")["cluster"]


def test_the_address_is_of_no_machine() -> None:
    assert ShareAddress("nfs.example", "/srv") == ADDRESS
