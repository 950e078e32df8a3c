"""An old provisioner's share over real NFS: what is looked at, and the records that are written and removed again."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from berth.objects.kinds import ClassObject, VolumeObject
from berth.operations.takeover.condition import judge_share
from berth.operations.takeover.inventory import Group, Inventory, make_groups
from berth.operations.takeover.records import Recorded, remove_records, write_records
from berth.operations.takeover.share import look
from berth.shares.choose import Shares
from devcluster.ganesha import GaneshaServer
from tests.operations.takeover.things import UID, deployment, found, of_class, volume

T = TypeVar("T")
ANY = of_class({"archiveOnDelete": "true"})
NESTED = of_class({"pathPattern": "${.PVC.namespace}/${.PVC.name}"}, name="nested")


class OldShare:
    """A share of its own on the server, and what is on it."""

    def __init__(self, nfs: GaneshaServer) -> None:
        token = secrets.token_hex(4)
        self.host, self.export, self.root = nfs.host, f"{nfs.export}/{token}", nfs.root / token
        self.options = nfs.mount_options()
        self.root.mkdir()

    def volume(self, number: int, path: str = "", class_name: str = "nfs", *, is_there: bool = True) -> VolumeObject:
        path = path or f"shop-data-{number}-pvc-{UID.format(number)}"
        if is_there:
            (self.root / path).mkdir(parents=True)
        return volume(number, f"{self.export}/{path}", class_name, server=self.host, mount_options=self.options)

    def group(self, volumes: list[VolumeObject], classes: tuple[ClassObject, ...] = (ANY, NESTED)) -> Group:
        environment = {"NFS_SERVER": self.host, "NFS_PATH": self.export}
        old = found(deployment(environment=environment)).old
        (made,) = make_groups(old, Inventory(classes, (), tuple(volumes)))
        return made

    def records(self) -> dict[str, dict[str, str]]:
        found = (self.root / ".berth/volumes").glob("*.json")
        return {path.name.removesuffix(".json"): json.loads(path.read_text()) for path in found}


def over_nfs(work: Callable[[Shares], Awaitable[T]]) -> T:
    """Does the work with shares of its own."""

    async def do() -> T:
        shares = Shares(timeout=5)
        try:
            return await work(shares)
        finally:
            await shares.aclose()

    return asyncio.run(do())


@pytest.fixture
def share(nfs_server: GaneshaServer) -> OldShare:
    return OldShare(nfs_server)


def test_what_is_there_missing_and_left_behind_is_told_apart(share: OldShare) -> None:
    volumes = [
        share.volume(1),
        share.volume(2, is_there=False),
        share.volume(3, "shop/data-3", "nested"),
        share.volume(4, is_there=False),
    ]
    (share.root / f"shop-data-4-pvc-{UID.format(4)}").write_text("a file")
    gone = f"shop-gone-pvc-{UID.format(9)}"
    for path in (gone, "archived-shop-old", "shop/leaked", "shop/data-3/inside", "other/leaked-too", ".berth"):
        (share.root / path).mkdir(parents=True)
    group = share.group(volumes)
    seen = over_nfs(lambda shares: look(shares, group))
    assert seen.why == ""
    assert {pv[-1] for pv in seen.present} == {"1", "3"}
    assert [one.pv[-1] for one in seen.missing] == ["2"]
    assert [(one.pv[-1], why.rpartition(" ")[2]) for one, why in seen.odd] == [("4", "file")]
    assert (seen.kept, seen.archives) == ((gone,), ("archived-shop-old",))
    assert set(seen.leaked) == {"shop/leaked", "other/leaked-too"}
    told = {one.id: one.severity for one in judge_share(group, seen)}
    assert told == {
        "directory-missing": "warning",
        "directory-odd": "warning",
        "leaked": "warning",
        "kept": "note",
        "archives": "note",
    }


def test_what_another_provisioners_pv_points_to_was_not_left_behind(share: OldShare) -> None:
    """To remove it by hand would be the end of somebody's data."""
    by_another = {"provisioner": "nfs.berth.io", "server": "another-name.example.com"}
    paths = {5: f"shop-data-5-pvc-{UID.format(5)}", 6: f"shop-x-pvc-{UID.format(8)}", 7: "shop/of-another"}
    gone = f"shop-gone-pvc-{UID.format(9)}"
    for path in (*paths.values(), gone, "shop/leaked"):
        (share.root / path).mkdir(parents=True)
    others = [volume(number, f"{share.export}/{path}", "other", **by_another) for number, path in paths.items()]
    elsewhere = volume(4, f"/elsewhere/{gone}", "other", **by_another)
    seen = over_nfs(lambda shares: look(shares, share.group([share.volume(1), *others, elsewhere])))
    assert (seen.kept, seen.leaked) == ((gone,), ("shop/leaked",))


def test_directories_of_a_flat_layout_are_not_taken_for_leaks(share: OldShare) -> None:
    (share.root / "by-hand" / "inside").mkdir(parents=True)
    group = share.group([share.volume(1)], classes=(ANY,))
    assert over_nfs(lambda shares: look(shares, group)).leaked == ()


def test_a_share_that_can_not_be_reached_stops_the_take_over(share: OldShare) -> None:
    group = share.group([share.volume(1)])
    away = replace(group, share=replace(group.share, export=f"{share.export}/nowhere"))
    seen = over_nfs(lambda shares: look(shares, away))
    (finding,) = judge_share(away, seen)
    assert (finding.id, finding.severity) == ("share-unreachable", "failure")
    assert "nowhere" in finding.seen.en


def write(share: OldShare, group: Group, cluster: str = "ours") -> Recorded:
    return over_nfs(lambda shares: write_records(shares, group.volumes, cluster))


def test_records_are_written_once_and_removed_again(share: OldShare) -> None:
    group = share.group([share.volume(1), share.volume(2, "shop/data-2", "nested")])
    assert write(share, group) == Recorded(2, 0, ())
    assert write(share, group) == Recorded(0, 2, ())
    record = share.records()[f"pvc-{UID.format(2)}"]
    assert (record["cluster"], record["path"], record["onDelete"], record["claim"]) == (
        "ours",
        "shop/data-2",
        "archive",
        "data-2",
    )
    assert over_nfs(lambda shares: remove_records(shares, group.volumes, "ours")) == 2
    assert share.records() == {}
    assert (share.root / "shop/data-2").is_dir()


def test_another_clusters_records_are_never_touched(share: OldShare) -> None:
    group = share.group([share.volume(1), share.volume(2, "shop/data-2", "nested")])
    write(share, group, "theirs")
    before = share.records()
    written = write(share, group)
    assert written.written == 0
    assert {pv for pv, _ in written.refused} == {one.pv for one in group.volumes}
    assert all("theirs" in why for _, why in written.refused)
    assert over_nfs(lambda shares: remove_records(shares, group.volumes, "ours")) == 0
    assert share.records() == before


def test_a_directory_in_another_clusters_volume_gets_no_record(share: OldShare) -> None:
    theirs = share.group([share.volume(3, "shop", "nested")], classes=(of_class({"pathPattern": "shop"}, "nested"),))
    write(share, theirs, "theirs")
    group = share.group([share.volume(2, "shop/data-2", "nested")])
    written = write(share, group)
    assert written.written == 0
    ((_, why),) = written.refused
    assert "overlaps 'shop'" in why


def test_the_record_of_a_volume_that_is_kept_stays(share: OldShare) -> None:
    group = share.group([share.volume(1)])
    write(share, group)
    path: Path = share.root / f".berth/volumes/{group.volumes[0].pv}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "released": "2026-01-31T12:00:00Z"}))
    assert over_nfs(lambda shares: remove_records(shares, group.volumes, "ours")) == 0
    assert path.exists()
