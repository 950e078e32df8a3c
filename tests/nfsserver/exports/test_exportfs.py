"""The verbs over the real exportfs."""

from __future__ import annotations

import pytest

from berth.aio.command import CommandTimedOut
from berth.nfsserver.errors import NotApplied
from berth.nfsserver.exports import exportfs
from berth.nfsserver.exports.export_files import read_live
from berth.nfsserver.exports.exportfs import Said
from berth.nfsserver.exports.exporting import add_export
from berth.nfsserver.exports.wanted import WantedExport
from tests.nfsserver.room import Room

pytestmark = pytest.mark.slow

FINE = "(rw,sync,no_subtree_check)"


async def test_reload_makes_live_what_the_files_say_and_nothing_else(room: Room) -> None:
    path = room.directory("a")
    await room.exportfs("-i", "-o", "rw", f"@byhand:{path}")
    room.write(f"{path} 10.0.0.0/8{FINE}\n".encode())
    assert (await exportfs.reload()).code == 0
    assert room.live_pairs() == {("10.0.0.0/8", path)}


async def test_publish_keeps_what_is_live_besides(room: Room) -> None:
    path = room.directory("a")
    await room.exportfs("-i", "-o", "rw", f"@byhand:{path}")
    room.write(f"{path} 10.0.0.0/8{FINE}\n".encode())
    assert (await exportfs.publish()).code == 0
    assert room.live_pairs() == {("10.0.0.0/8", path), ("@byhand", path)}


@pytest.mark.parametrize(
    "client", ["192.0.2.1", "2001:db8::1", "2001:db8::/64", "*", "@g", "node[0-9].lan", "gss/krb5"]
)
async def test_withdraw_ends_one_export(room: Room, client: str) -> None:
    path = room.directory("a b")
    room.write(f'"{path}" {client}{FINE} 203.0.113.1{FINE}\n'.encode())
    await exportfs.reload()
    assert len(room.live_pairs()) == 2
    for export in read_live(room.files):
        if export.client != "203.0.113.1":
            said = await exportfs.withdraw(export)
            assert said.complaints == ()
    assert room.live_pairs() == {("203.0.113.1", path)}


async def test_a_rehearsal_tells_what_would_be_and_touches_nothing(room: Room) -> None:
    path = room.directory("a")
    room.write(f"{path} @live{FINE}\n".encode())
    room.write(f"{path} @more{FINE}\n".encode(), "more.exports")
    await exportfs.reload()
    before = room.live()
    rehearsal = await exportfs.rehearse(f"{path} @new(ro)\n{path}x @new(ro)\n/b @new(oops)\n".encode(), room.files)
    assert rehearsal is not None
    assert {str(export) for export in rehearsal.exports} == {f"@new:{path}", f"@new:{path}x"}
    assert rehearsal.said.code == 1
    assert rehearsal.said.about(f"{path}x") == (f"Failed to stat {path}x: No such file or directory",)
    assert rehearsal.said.about(path) == ()
    assert any("oops" in complaint for complaint in rehearsal.said.complaints)
    assert room.live() == before


async def test_where_there_is_no_namespace_there_is_no_rehearsal_and_changes_work(room: Room) -> None:
    room.replace_program("/usr/bin/unshare", "echo 'unshare failed: Operation not permitted' >&2\nexit 1\n")
    path = room.directory("a")
    assert await exportfs.rehearse(b"", room.files) is None
    await add_export(WantedExport(path, ["@g"]))
    assert room.live_pairs() == {("@g", path)}


async def test_a_missing_exports_file_is_no_obstacle(room: Room) -> None:
    (room.etc / "exports").unlink()
    path = room.directory("a")
    change = await add_export(WantedExport(path, ["@g"]))
    assert room.live_pairs() == {("@g", path)}
    assert "/etc/exports" in change.warnings[0]
    assert change.as_dict()["changed"] is True


async def test_an_exportfs_that_hangs_is_given_up(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exportfs, "DEADLINE", 0.5)
    room.replace_program("/usr/sbin/exportfs", "exec sleep 60\n")
    with pytest.raises(CommandTimedOut):
        await exportfs.reload()
    with pytest.raises(NotApplied, match=r"killed after 0\.5 s") as caught:
        await add_export(WantedExport(room.directory("a"), ["@g"]))
    assert caught.value.restored


def test_complaints_are_told_from_advice() -> None:
    stderr = (
        "exportfs: /etc/exports [1]: Neither 'subtree_check' or 'no_subtree_check' specified for export \"*:/a\".\n"
        "  Assuming default behaviour ('no_subtree_check').\n"
        "  NOTE: this default has changed since nfs-utils version 1.0.x\n\n"
        "exportfs: No options for /a *: suggest *(sync) to avoid warning\n"
        "exportfs: Failed to stat /a/b: No such file or directory\n"
    )
    said = Said(1, stderr)
    assert said.complaints == ("Failed to stat /a/b: No such file or directory",)
    assert said.about("/a") == ()
    assert len(said.about("/a/b")) == 1
