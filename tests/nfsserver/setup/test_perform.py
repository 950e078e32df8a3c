"""init on a host of one's own: real directories, real exportfs; the second plan is empty."""

from __future__ import annotations

import multiprocessing
import multiprocessing.synchronize
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

import pytest

from berth.nfsserver.errors import RequestRefused, StepFailed
from berth.nfsserver.exports.exporting import add_export
from berth.nfsserver.exports.wanted import WantedExport
from berth.nfsserver.lint.run import lint_host
from berth.nfsserver.setup.packages import Command
from berth.nfsserver.setup.perform import perform, perform_all, plan_for
from berth.nfsserver.setup.plan import InitStep, PrepareDirectory, RunCommands
from berth.nfsserver.setup.status import read_status
from berth.texts.text import Text
from tests.nfsserver.nobody import as_nobody
from tests.nfsserver.room import Room

PATH = "/srv/nfs/k8s"
NOTHING = Text("a step", "一步")


def owner_and_mode(path: str) -> tuple[int, int, int]:
    found = os.stat(path)
    return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)


def of_the_path(steps: tuple[InitStep, ...]) -> list[str]:
    """The steps that are about the path. Whether packages and services are missing is the machine's affair."""
    return [step.kind for step in steps if step.kind in ("directory", "exports")]


async def do(wanted: WantedExport) -> None:
    for step in (await plan_for(wanted)).steps:
        if step.kind in ("directory", "exports"):
            await perform(step)


async def test_a_path_is_exported_and_the_second_plan_is_empty(room: Room) -> None:
    wanted = WantedExport(PATH, ["127.0.0.1", "10.0.0.0/8", "node1"])
    assert of_the_path((await plan_for(wanted)).steps) == ["directory", "exports"]
    await do(wanted)
    assert of_the_path((await plan_for(wanted)).steps) == []
    assert owner_and_mode(PATH) == (65534, 65534, 0o755)
    assert owner_and_mode("/srv/nfs") == (0, 0, 0o755)
    assert room.live_pairs() == {(client, PATH) for client in ("127.0.0.1", "10.0.0.0/8", "node1.lan")}
    assert await lint_host() == ()


async def test_a_provisioner_comes_first_also_when_it_comes_later(room: Room) -> None:
    await do(WantedExport(PATH, ["10.0.0.0/8"]))
    wanted = WantedExport(PATH, ["10.0.0.0/8"], ["10.1.0.0/16"])
    assert of_the_path((await plan_for(wanted)).steps) == ["exports"]
    await do(wanted)
    assert room.read().splitlines()[-1].split()[1:] == [
        "10.1.0.0/16(rw,sync,no_subtree_check,no_root_squash)",
        "10.0.0.0/8(rw,sync,no_subtree_check,root_squash)",
    ]
    assert of_the_path((await plan_for(wanted)).steps) == []


async def test_a_provisioner_keeps_its_rights_when_wider_networks_are_added(room: Room) -> None:
    await do(WantedExport(PATH, [], ["10.1.0.0/16"]))
    await add_export(WantedExport(PATH, ["*", "10.0.0.0/8"]))
    clients = [word.partition("(")[0] for word in room.read().splitlines()[-1].split()[1:]]
    assert clients == ["10.1.0.0/16", "10.0.0.0/8", "*"]


async def test_fsid_on_a_file_system_without_identity(room: Room) -> None:
    room.mount("tmpfs", room.srv / "nfs", "mode=0755")
    wanted = WantedExport(PATH, ["10.0.0.0/8"])
    await do(wanted)
    assert ",fsid=" in room.read()
    assert await lint_host() == ()
    assert of_the_path((await plan_for(wanted)).steps) == []


async def test_a_directory_of_another_mode_is_put_right(room: Room) -> None:
    path = room.directory("made by hand", 0o777)
    with pytest.raises(RequestRefused, match="blanks"):
        await plan_for(WantedExport(path, ["@g"]))
    path = room.directory("made-by-hand", 0o777)
    await do(WantedExport(path, ["@g"]))
    assert owner_and_mode(path) == (65534, 65534, 0o755)


async def test_a_link_is_not_followed(room: Room) -> None:
    room.directory("target")
    os.symlink("target", "/srv/link")
    with pytest.raises(RequestRefused, match="export /srv/target instead"):
        await plan_for(WantedExport("/srv/link", ["@g"]))
    step = PrepareDirectory(
        kind="directory", summary=NOTHING, reasons=(), commands=(), path="/srv/link", mode=0o700, uid=1, gid=1
    )
    with pytest.raises(StepFailed):
        await perform(step)
    assert owner_and_mode("/srv/target") == (0, 0, 0o755)


async def test_a_command_that_fails_is_told_with_what_it_said(room: Room) -> None:
    run = (Command(("sh", "-c", 'echo "no $WORD" >&2; exit 3'), (("WORD", "luck"),)), Command(("touch", "/srv/second")))
    step = RunCommands(kind="services", summary=NOTHING, reasons=(), commands=(), run=run, deadline=30)
    with pytest.raises(StepFailed, match=r"a step: .* failed with code 3: no luck") as caught:
        await perform(step)
    assert caught.value.stderr == "no luck\n"
    assert "second" not in os.listdir("/srv")


async def test_status_tells_what_is_exported(room: Room) -> None:
    await do(WantedExport(PATH, ["10.0.0.0/8"]))
    room.write(b"/srv/other *(ro)\n")
    await room.exportfs("-i", "-o", "rw", "192.0.2.9:/srv")
    status = await read_status()
    assert [(row.client, row.path, row.state) for row in status.exports] == [
        ("*", "/srv/other", "not live"),
        ("10.0.0.0/8", PATH, "live"),
        ("192.0.2.9", "/srv", "only live"),
    ]
    assert not status.is_good
    told = status.as_dict()
    assert told["verdict"] == status.verdict
    assert isinstance(told["exports"], list)
    assert told["exports"][1]["options"] == "rw,root_squash"


def test_without_root_nothing_is_tried() -> None:
    step = RunCommands(kind="packages", summary=NOTHING, reasons=(), commands=(), run=(), deadline=1)
    said = as_nobody(perform(step))
    assert said == "setting up an NFS server|it takes root, and this is uid 65534; run it with sudo"


async def test_a_plan_is_performed_step_by_step(room: Room) -> None:
    plan = await plan_for(WantedExport(PATH, ["10.0.0.0/8"]))
    path_only = type(plan)(plan.path, tuple(step for step in plan.steps if step.kind in ("directory", "exports")))
    done = await perform_all(path_only)
    assert [each.step.kind for each in done] == ["directory", "exports"]
    assert of_the_path((await plan_for(WantedExport(PATH, ["10.0.0.0/8"]))).steps) == []


def plant(path: str) -> None:
    Path(path).write_text("not for everybody")


def restless(stop: multiprocessing.synchronize.Event, parent: str) -> None:
    """A user who owns parent, and has something else in the place of `data` all the time."""
    os.setgroups([])
    os.setgid(1000)
    os.setuid(1000)
    os.chdir(parent)
    while not stop.is_set():
        for name in ("link-to-etc", "secret"):
            with suppress(OSError):
                os.rename("data", "mine")
            with suppress(OSError):
                os.rename(name, "data")
            with suppress(OSError):
                os.rename("data", name)
            with suppress(OSError):
                os.rename("mine", "data")


async def test_who_owns_a_parent_can_not_have_another_directory_changed(room: Room) -> None:
    parent = room.directory("users/mallory")
    os.chown(parent, 1000, 1000)
    for name, mode in (("data", 0o700), ("secret", 0o700)):
        os.mkdir(f"{parent}/{name}")
        os.chmod(f"{parent}/{name}", mode)
    plant(f"{parent}/secret/key")
    target = room.directory("target", 0o700)
    os.symlink(target, f"{parent}/link-to-etc")
    plan = await plan_for(WantedExport(f"{parent}/data", ["@g"]))
    assert any("uid 1000" in note.en and parent in note.en for note in plan.notes)
    (step,) = [step for step in plan.steps if step.kind == "directory"]
    secret = os.stat(f"{parent}/secret").st_ino
    stop = multiprocessing.get_context("fork").Event()
    mallory = multiprocessing.get_context("fork").Process(target=restless, args=(stop, parent))
    mallory.start()
    done = refused = 0
    try:
        end = time.monotonic() + 60
        while min(done, refused) < 200 and time.monotonic() < end:
            try:
                await perform(step)
                done += 1
            except StepFailed:
                refused += 1
    finally:
        stop.set()
        mallory.join(30)
    assert owner_and_mode(target) == (0, 0, 0o700)
    for name in os.listdir(parent):
        if os.lstat(f"{parent}/{name}").st_ino == secret:
            assert owner_and_mode(f"{parent}/{name}") == (0, 0, 0o700)
    assert done, "never in its place"
    assert refused, "never anything else in its place"


async def test_a_link_on_the_way_is_refused_before_and_while_it_is_done(room: Room) -> None:
    room.directory("target")
    os.symlink("target", "/srv/link")
    with pytest.raises(RequestRefused, match="export /srv/target/new instead"):
        await plan_for(WantedExport("/srv/link/new", ["@g"]))
    step = PrepareDirectory(
        kind="directory", summary=NOTHING, reasons=(), commands=(), path="/srv/link/new/x", mode=0o700, uid=1, gid=1
    )
    with pytest.raises(StepFailed, match="/srv/link"):
        await perform(step)
    assert os.listdir("/srv/target") == []


async def test_what_was_moved_into_the_place_of_a_missing_directory_is_left_alone(room: Room) -> None:
    (step,) = [s for s in (await plan_for(WantedExport("/srv/new", ["@g"]))).steps if s.kind == "directory"]
    plant(f"{room.directory('new', 0o700)}/key")
    with pytest.raises(StepFailed, match="another directory by now"):
        await perform(step)
    assert owner_and_mode("/srv/new") == (0, 0, 0o700)


async def test_directories_are_made_as_planned_whatever_the_umask(room: Room) -> None:
    before = os.umask(0o077)
    try:
        await do(WantedExport("/srv/a/b/c", ["10.0.0.0/8"]))
    finally:
        os.umask(before)
    assert [owner_and_mode(path) for path in ("/srv/a", "/srv/a/b")] == [(0, 0, 0o755)] * 2
    assert owner_and_mode("/srv/a/b/c") == (65534, 65534, 0o755)
    assert stat.S_IMODE((room.etc / "exports.d").stat().st_mode) == 0o755
    assert stat.S_IMODE((room.etc / "exports.d" / "berth.exports").stat().st_mode) == 0o644
