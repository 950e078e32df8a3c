"""Changes of Berth's exports, with the real exportfs: all of it or nothing, and what was live stays live."""

from __future__ import annotations

import asyncio
import fcntl
import multiprocessing
import multiprocessing.synchronize
import os
import re
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from berth.aio import command
from berth.nfsserver.errors import Busy, NotApplied, RequestRefused
from berth.nfsserver.exports.change import HEADER, change_exports
from berth.nfsserver.exports.edit import with_export
from berth.nfsserver.exports.export_files import read_files
from berth.nfsserver.exports.exporting import add_export, list_exports, remove_export
from berth.nfsserver.exports.lock import locked
from berth.nfsserver.exports.parse import ExportsFile
from berth.nfsserver.exports.wanted import WantedExport
from tests.nfsserver.nobody import as_nobody
from tests.nfsserver.room import Room

pytestmark = pytest.mark.slow

NET = "10.0.0.0/8"
EXPORTFS = "/usr/sbin/exportfs"


def lines(room: Room) -> list[str]:
    return [line for line in room.read().splitlines() if not line.startswith("#")]


async def test_an_export_is_written_and_live_and_gone_again(room: Room) -> None:
    path = room.directory("k8s")
    change = await add_export(WantedExport(path, [NET], ["192.0.2.1"]))
    assert [str(export) for export in change.added] == [f"192.0.2.1:{path}", f"{NET}:{path}"]
    assert lines(room) == [
        f"{path} 192.0.2.1(rw,sync,no_subtree_check,no_root_squash) {NET}(rw,sync,no_subtree_check,root_squash)"
    ]
    assert room.live_pairs() == {("192.0.2.1", path), (NET, path)}
    assert not (await add_export(WantedExport(path, [NET], ["192.0.2.1"]))).is_change

    await remove_export(path, "192.0.2.1")
    assert room.live_pairs() == {(NET, path)}
    await remove_export(path)
    assert room.live_pairs() == set()
    assert room.read() == ""


async def test_lines_of_others_are_left_as_they_are(room: Room) -> None:
    mine, theirs = room.directory("mine"), room.directory("theirs")
    by_hand = f"# hand made\n{theirs}   *(ro)  # kept\n".encode()
    room.write(by_hand)
    room.write(by_hand.replace(b"*", b"@g"), "other.exports")
    room.write(HEADER + f"{theirs} node1(ro) # mine by hand\n".encode(), "berth.exports")
    await add_export(WantedExport(mine, [NET]))
    await remove_export(mine)
    assert room.read("exports").encode() == by_hand
    assert room.read("exports.d/other.exports").encode() == by_hand.replace(b"*", b"@g")
    assert lines(room) == [f"{theirs} node1(ro) # mine by hand"]
    assert room.live_pairs() == {("*", theirs), ("@g", theirs), ("node1.lan", theirs)}


async def test_exports_made_by_hand_stay_live(room: Room) -> None:
    path, other = room.directory("mine"), room.directory("by hand")
    await room.exportfs("-o", "rw", f"192.0.2.7:{other}")
    await add_export(WantedExport(path, [NET]))
    await remove_export(path)
    assert room.live_pairs() == {("192.0.2.7", other)}


async def test_exports_whose_file_was_broken_since_stay_live(room: Room) -> None:
    path, other = room.directory("mine"), room.directory("theirs")
    room.write(f"{other} *(ro)\n".encode())
    await room.exportfs("-ra")
    room.write(f"/oops *(rw,no_rootsquash)\n{other} *(ro)\n".encode())
    change = await add_export(WantedExport(path, [NET]))
    assert room.live_pairs() == {("*", other), (NET, path)}
    assert any("no_rootsquash" in warning for warning in change.warnings)


async def test_complaints_about_others_are_no_failure(room: Room) -> None:
    path = room.directory("mine")
    room.write(b"/not/there *(ro)\n")
    change = await add_export(WantedExport(path, [NET]))
    assert (NET, path) in room.live_pairs()
    assert change.warnings == ("Failed to stat /not/there: No such file or directory",)


async def test_new_options_replace_the_old_ones(room: Room) -> None:
    path = room.directory("mine")
    await add_export(WantedExport(path, [NET]))
    change = await add_export(WantedExport(path, [NET], options=["ro", "insecure"]))
    assert len(change.added) == 1
    assert lines(room) == [f"{path} {NET}(sync,no_subtree_check,root_squash,ro,insecure)"]
    assert [row.state for row in await list_exports()] == ["live"]
    assert "ro,root_squash" in await room.shown()


async def test_a_file_that_was_written_but_not_loaded_is_loaded_by_the_next_run(room: Room) -> None:
    # So a run that was killed between the two converges.
    path = room.directory("mine")
    await add_export(WantedExport(path, [NET]))
    await room.exportfs("-ua")
    assert room.live_pairs() == set()
    await add_export(WantedExport(path, [NET]))
    assert room.live_pairs() == {(NET, path)}


async def test_hosts_are_withdrawn_under_the_name_that_the_table_has(room: Room) -> None:
    path = room.directory("mine")
    await add_export(WantedExport(path, ["node1", "2001:db8::1", "2001:db8::/64", "@g", "*.lan"]))
    assert {client for client, _ in room.live_pairs()} == {
        *("node1.lan", "2001:db8::1", "2001:db8::/64", "@g", "*.lan"),
    }
    for client in ("node1", "2001:db8::1", "2001:db8::/64", "@g", "*.lan"):
        await remove_export(path, client)
    assert room.live_pairs() == set()


@pytest.mark.parametrize(
    ("client", "said"),
    [
        ("nosuch.lan", "can't be resolved"),
        ("10.0.0/8", "is no network"),
        ("192.168.1.*", "write 192.168.1.0/24"),
        ("node1,node2", "comma"),
    ],
)
async def test_clients_that_can_not_work_are_refused(room: Room, client: str, said: str) -> None:
    with pytest.raises(RequestRefused, match=said):
        await add_export(WantedExport(room.directory("mine"), [client]))
    assert room.read() == ""


async def test_what_another_file_exports_already_is_refused(room: Room) -> None:
    path = room.directory("mine")
    room.write(f"# one\n{path} {NET}(ro)\n".encode())
    with pytest.raises(RequestRefused, match=r"/etc/exports line 2 exports it to 10.0.0.0/8 already"):
        await add_export(WantedExport(path, [NET]))


async def test_a_directory_that_is_missing_is_refused_with_one_that_is_there(room: Room) -> None:
    path = room.directory("ksha3.2")
    with pytest.raises(RequestRefused, match=f"does not exist .did you mean {path}"):
        await add_export(WantedExport(f"{path[:-1]}3", [NET]))


async def test_removing_what_berth_does_not_export_is_refused(room: Room) -> None:
    path = room.directory("theirs")
    room.write(f"{path} *(ro)\n".encode())
    with pytest.raises(RequestRefused, match="does not export it"):
        await remove_export(path)


async def test_what_exportfs_would_refuse_is_found_before_anything_is_touched(room: Room) -> None:
    def edit(file: ExportsFile) -> ExportsFile:
        return with_export(file, str(room.srv / "not there"), NET, ["rw"])

    with pytest.raises(NotApplied, match="Failed to stat") as caught:
        await change_exports(edit)
    assert caught.value.restored
    assert "Failed to stat" in caught.value.stderr
    assert room.read() == ""
    assert not (room.etc / "exports.d" / ".berth.exports.new").exists()


FIRST_TIME = '[ "$1" = -a ] && [ ! -e /etc/once ] &&'
FAULTS = {
    "it loses exports": ": > /var/lib/nfs/etab; exit 1",
    "it ends with another code": "exit 7",
    "it does nothing": "exit 0",
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_a_failing_exportfs_leaves_file_and_table_as_they_were(room: Room, fault: str) -> None:
    path, other, new = room.directory("mine"), room.directory("theirs"), room.directory("new")
    room.write(f"{other} *(ro)\n".encode())
    await add_export(WantedExport(path, [NET]))
    file, table = room.read(), room.live()
    room.replace_program(EXPORTFS, f'{FIRST_TIME} {{ : > /etc/once; echo sad >&2; {fault}; }}\nexec $REAL "$@"\n')
    with pytest.raises(NotApplied) as caught:
        await add_export(WantedExport(new, [NET]))
    assert caught.value.restored
    assert "sad" in caught.value.stderr
    assert (room.read(), room.live()) == (file, table)


async def test_an_exportfs_that_is_broken_for_good_is_told_with_what_was_lost(room: Room) -> None:
    path = room.directory("mine")
    await add_export(WantedExport(path, [NET]))
    file = room.read()
    room.replace_program(EXPORTFS, '[ "$1" = -ra ] && exec $REAL "$@"\n: > /var/lib/nfs/etab\nexit 1\n')
    with pytest.raises(NotApplied, match="could not be brought back") as caught:
        await add_export(WantedExport(room.directory("new"), [NET]))
    assert not caught.value.restored
    assert caught.value.lost == (f"{NET}:{path}",)
    assert room.read() == file


async def test_a_full_disk_leaves_file_and_table_as_they_were(room: Room) -> None:
    room.mount("tmpfs", Path("/etc/exports.d"), "size=8k")
    path, new = room.directory("mine"), room.directory("new")
    await add_export(WantedExport(path, [NET]))
    (file,), table = read_files(room.files)[1:], room.live()
    fill = ["dd", "if=/dev/zero", "of=/etc/exports.d/fill", "bs=4k", "count=9"]
    await command.run(fill, deadline=30, accept=(1,))
    with pytest.raises(NotApplied, match=r"No space left on device.*nothing is changed") as caught:
        await add_export(WantedExport(new, [NET]))
    assert caught.value.restored
    (after,) = read_files(room.files)[1:]
    assert (after.content, room.live()) == (file.content, table)
    assert sorted(os.listdir("/etc/exports.d")) == ["berth.exports", "fill"]


async def test_a_change_that_is_cancelled_is_undone(room: Room) -> None:
    path, new = room.directory("mine"), room.directory("new")
    await add_export(WantedExport(path, [NET]))
    file, table = room.read(), room.live()
    room.replace_program(EXPORTFS, f'{FIRST_TIME} {{ : > /etc/once; exec sleep 60; }}\nexec $REAL "$@"\n')
    task = asyncio.create_task(add_export(WantedExport(new, [NET])))
    await becomes_true((room.etc / "once").exists)
    assert new in room.read()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (room.read(), room.live()) == (file, table)


async def test_changes_at_once_wait_for_each_other(room: Room) -> None:
    paths = [room.directory(f"volume-{number}") for number in range(6)]
    await asyncio.gather(*(add_export(WantedExport(path, [NET])) for path in paths))
    assert room.live_pairs() == {(NET, path) for path in paths}
    assert len(lines(room)) == len(paths)


async def test_who_waits_too_long_is_told_so(room: Room) -> None:
    async with locked(room.files):
        with pytest.raises(Busy, match=r"exports\.d"):
            async with locked(room.files, patience=0.1):
                pass


async def test_names_that_were_lost_since_are_no_reason_to_end_an_export(room: Room) -> None:
    path, new = room.directory("mine"), room.directory("new")
    await add_export(WantedExport(path, ["node1"]))
    (room.etc / "hosts").write_text("127.0.0.1 localhost\n")
    with pytest.raises(RequestRefused, match="any run of exportfs would end it"):
        await add_export(WantedExport(new, [NET]))
    assert room.live_pairs() == {("node1.lan", path)}


async def becomes_true(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(0.01)


def test_without_root_the_missing_right_is_named() -> None:
    # On the machine itself: nothing of it is touched, because nothing of it may be.
    said = as_nobody(change_exports(lambda file: with_export(file, "/srv", NET, ["ro"])))
    assert re.fullmatch(r"changing exports\|uid 65534 may not write /etc(/exports\.d)?; run it as root \(sudo\)", said)


def lock_as_a_user(directories: list[str], held: multiprocessing.synchronize.Event) -> None:
    """Locks all that a user can open, for as long as he may."""
    os.setgroups([])
    os.setgid(1000)
    os.setuid(1000)
    handles = []
    for path in (*directories, *(f"{one}/{name}" for one in directories for name in os.listdir(one))):
        with suppress(OSError):
            handles.append(os.open(path, os.O_RDONLY))
            fcntl.flock(handles[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    held.set()
    time.sleep(60)


async def test_a_user_of_the_host_can_not_keep_the_exports_locked(room: Room) -> None:
    await add_export(WantedExport(room.directory("first"), [NET]))
    context = multiprocessing.get_context("fork")
    held = context.Event()
    user = context.Process(target=lock_as_a_user, args=([str(room.files.directory), str(room.files.state)], held))
    user.start()
    try:
        assert held.wait(30)
        async with locked(room.files, patience=5):
            pass
        assert (await add_export(WantedExport(room.directory("second"), [NET]))).is_change
    finally:
        user.kill()
        user.join(30)


async def test_nothing_is_written_where_others_than_root_can_write(room: Room) -> None:
    path = room.directory("mine")
    room.write(b"", "other.exports")
    for mode in (0o777, 0o775):
        os.chmod(room.files.directory, mode)
        with pytest.raises(RequestRefused, match=r"exports\.d: others than root can write there"):
            await add_export(WantedExport(path, [NET]))
    os.chmod(room.files.directory, 0o755)
    os.chown(room.files.directory, 1000, 0)
    with pytest.raises(RequestRefused, match="others than root"):
        await add_export(WantedExport(path, [NET]))
    assert sorted(os.listdir(room.files.directory)) == ["other.exports"]


async def test_links_in_the_place_of_files_are_not_written_through(room: Room) -> None:
    path = room.directory("mine")
    await add_export(WantedExport(path, [NET]))
    precious = plant(room, "precious", "not an exports file")
    os.symlink(precious, room.files.directory / ".berth.exports.new")  # as somebody left it there when he could
    await add_export(WantedExport(room.directory("second"), [NET]))
    assert room.read("precious") == "not an exports file"
    assert "second" in room.read()
    os.replace(room.files.own, room.files.directory / "elsewhere")
    os.symlink("elsewhere", room.files.own)
    with pytest.raises(RequestRefused, match="a link to elsewhere"):
        await add_export(WantedExport(room.directory("third"), [NET]))
    assert "third" not in room.read("exports.d/elsewhere")


async def test_the_files_mode_stays_but_for_others_right_to_write(room: Room) -> None:
    await add_export(WantedExport(room.directory("first"), [NET]))
    for before, after in ((0o600, 0o600), (0o666, 0o644), (0o640, 0o640)):
        os.chmod(room.files.own, before)
        await add_export(WantedExport(room.directory(f"of-{before}"), [NET]))
        assert stat.S_IMODE(os.stat(room.files.own).st_mode) == after


def plant(room: Room, name: str, text: str) -> str:
    """A file below the room's /etc; its path."""
    (room.etc / name).write_text(text)
    return f"/etc/{name}"
