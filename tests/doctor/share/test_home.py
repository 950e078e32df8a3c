"""What is wrong with `.berth/` on a share is told with what to do, and nothing there is changed."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from berth.doctor.share.home import look_into_home
from berth.doctor.share.probed import Probed
from berth.nfs import Resolver
from berth.shares.direct.share import DirectShare
from devcluster.ganesha import GaneshaServer
from tests.conformance.places import address
from tests.e2e.trees import tree
from tests.volumes.builders import Life, plan


def _replace_home(home: Path) -> None:
    home.rename(home.parent / "old")
    home.write_text("")


def _link_trash(home: Path) -> None:
    (home / "trash").rmdir()
    (home / "trash").symlink_to("/")


def _drop_records(home: Path) -> None:
    shutil.rmtree(home / "volumes")


def _cut_records(home: Path) -> None:
    for each in (home / "volumes").iterdir():
        each.write_text(each.read_text()[:30])


HURT: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda home: None, "whole: 1 volumes"),
    "a file for .berth": (_replace_home, ".berth is no directory but a file"),
    "a link for the trash": (_link_trash, ".berth/trash is no directory but a link"),
    "no records": (_drop_records, ".berth/volumes is missing"),
    "no identity": (lambda home: (home / "share.json").rename(home / "moved"), ".berth/share.json is missing"),
    "an empty identity": (lambda home: (home / "share.json").write_text(""), "share.json: is not valid JSON"),
    "a newer identity": (lambda home: (home / "share.json").write_text('{"format": 9}'), "newer Berth"),
    "a record that is cut off": (_cut_records, "1 records can't be read: .berth/volumes/pvc-"),
}


@pytest.mark.parametrize("version", ["3", "4"])
def test_each_fault_has_its_sentence_and_its_cure(nfs_server: GaneshaServer, tmp_path: Path, version: str) -> None:
    async def made(target: str) -> None:
        resolver = Resolver()
        share = DirectShare(address(nfs_server, target, version), resolver)
        await Life("cluster-1").create(plan(), share)
        await share.aclose()
        await resolver.aclose()

    async def look(target: str) -> list[Probed]:
        return await look_into_home(address(nfs_server, target, version), 10.0)

    for number, (name, (hurt, said)) in enumerate(HURT.items()):
        below = f"home-{version}-{number}"
        root = nfs_server.directory_of("/export") / below
        root.mkdir()
        target = f"/export/{below}"
        assert [each.outcome for each in asyncio.run(look(target))] == ["skipped"], name
        asyncio.run(made(target))
        hurt(root / ".berth")
        before = tree(root)
        found = asyncio.run(look(target))
        assert any(said in each.seen.en for each in found), (name, found)
        assert all((each.finding is not None) == (each.outcome in ("warning", "failed")) for each in found), name
        assert (found[0].outcome == "passed") == (name == "nothing"), name
        assert tree(root) == before, name
