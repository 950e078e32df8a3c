"""A disk that is full at any step of a volume's life: nothing is lost or half written, each attempt says what is
missing, and everything converges once there is room.

The disk behind a real server has room for a number of further files and no more, one more in each turn.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from berth.nfs import Resolver
from berth.shares.direct.share import DirectShare
from berth.shares.mounted.share import MountedShare
from berth.volumes.errors import Unavailable
from berth.volumes.naming import record_path
from berth.volumes.plan import DefaultShare, Plan, make_plan
from berth.volumes.release import ReleasePlan, make_release_plan
from berth.volumes.share import Share
from devcluster.ganesha import Export, GaneshaServer
from tests.conformance.places import address
from tests.volumes.builders import Life, nobody, release_request, request

STEPS = 9
"""More than any operation makes files and directories."""
DATA = b"precious\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GaneshaServer]:
    """A server whose disk is small."""
    if os.geteuid():
        pytest.skip("mounting takes root")
    made = GaneshaServer(tmp_path_factory.mktemp("nfs"), exports=[Export("/small", squash="no_root_squash")])
    root = made.directory_of("/small")
    root.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,nr_inodes=400,mode=0777", "small", str(root)], check=True)
    try:
        with made:
            yield made
    finally:
        subprocess.run(["umount", "--lazy", "--recursive", str(root)], check=True)
        shutil.rmtree(made.directory, ignore_errors=True)


class Disk:
    """The server's disk, as seen on the server."""

    def __init__(self, root: Path, short_of: str) -> None:
        self.root = root
        self._short_of = short_of
        self._fill = root / "fill"

    def mount(self) -> None:
        """Makes the directory a mount point, as a mounted share has to be."""
        subprocess.run(["mount", "--bind", str(self.root), str(self.root)], check=True)

    def leave_room_for(self, number: int) -> None:
        """Fills the disk up but for so many files and directories, or blocks of what is in them."""
        self._fill.mkdir(exist_ok=True)
        if self._short_of == "files":
            while (free := os.statvfs(self.root).f_ffree) > number:
                (self._fill / f"{free}").touch()
        else:
            known = os.statvfs(self.root)
            (self._fill / "large").write_bytes(bytes((known.f_bavail - number) * known.f_bsize))

    def clear(self) -> None:
        """Makes room again."""
        shutil.rmtree(self._fill)

    def check_whole(self) -> None:
        """Whatever is written down is whole."""
        for path in self.root.joinpath(".berth").rglob("*.json"):
            assert json.loads(path.read_text())["format"] == 1, path

    def copies(self) -> list[str]:
        """Where the volume's data is."""
        return [str(path.relative_to(self.root)) for path in self.root.rglob("content") if path.read_bytes() == DATA]


async def attempt(share: Share, disk: Disk, room: int, plan: Plan | ReleasePlan) -> bool:
    """One attempt with so much room, by a process that knows nothing yet. Whether it came through."""
    disk.leave_room_for(room)
    life = Life("cluster-1")
    try:
        await (life.create(plan, share) if isinstance(plan, Plan) else life.release(plan, share))
    except Unavailable as error:
        if error.status not in ("ENOSPC", "NFS3ERR_NOSPC", "NFS4ERR_NOSPC"):
            raise
        return False
    else:
        return True
    finally:
        disk.check_whole()
        disk.clear()


async def live(share: Share, disk: Disk, name: str, end: str) -> None:
    """A life in which each step is tried with too little room first, then with a little more."""
    default = DefaultShare(share.address.server, share.address.export)
    pattern = {"pathPattern": "${.PVC.namespace}/${.PVC.name}"} if end == "archive" else {}
    plan = make_plan(request(name, parameters=pattern), default, nobody)
    ending = make_release_plan(release_request(plan, on_delete=end, parameters=pattern), default, nobody)
    born = [await attempt(share, disk, room, plan) for room in range(STEPS)]
    assert not born[0]
    assert born[-1]
    directory = disk.root / plan.path
    (directory / "content").write_bytes(DATA)
    done = []
    for room in range(STEPS):
        done.append(await attempt(share, disk, room, ending))
        assert len(disk.copies()) == 1, disk.copies()
    assert done[-1]
    (where,) = disk.copies()
    if end == "archive":
        assert where.startswith("archived-")
        shutil.rmtree(disk.root / where.partition("/")[0])  # the next one has the same name
    elif end == "delete":
        disk.leave_room_for(0)
        await Life("cluster-1").purge(plan.pv, share)  # takes no room
        disk.clear()
        assert disk.copies() == []
    else:
        assert where == f"{plan.path}/content"
        return
    assert not (disk.root / record_path(plan.pv)).exists()
    assert not directory.exists()


@pytest.mark.parametrize("end", ["delete", "archive", "retain"])
@pytest.mark.parametrize("way", ["3", "4", "mounted"])
@pytest.mark.parametrize("short_of", ["files", "blocks"])
async def test_a_volume_lives_through_a_full_disk(server: GaneshaServer, way: str, end: str, short_of: str) -> None:
    name = f"{way}-{end}-{short_of}"
    disk = Disk(server.root / name, short_of)
    disk.root.mkdir(mode=0o777)
    if way == "mounted":
        disk.mount()
    where = address(server, f"/small/{name}", "" if way == "mounted" else way)
    share: Share = MountedShare(str(disk.root), where) if way == "mounted" else DirectShare(where, Resolver())
    async with aclosing(share):
        await live(share, disk, f"data-{name}", end)
