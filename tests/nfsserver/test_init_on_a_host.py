"""init on a host of one's own: real directories, real exportfs; the second plan is empty."""

from __future__ import annotations

import os
import stat

import pytest

from berth.nfsserver.errors import Refused, StepFailed
from berth.nfsserver.exporting import add_export
from berth.nfsserver.lint import lint_host
from berth.nfsserver.packages import Command
from berth.nfsserver.perform import perform, perform_all, plan_for
from berth.nfsserver.plan import PrepareDirectory, RunCommands, Step
from berth.nfsserver.status import read_status
from berth.nfsserver.wanted import Wanted
from berth.texts.text import Text
from tests.nfsserver.nobody import as_nobody
from tests.nfsserver.room import Room

PATH = "/srv/nfs/k8s"
NOTHING = Text("a step", "一步")


def owner_and_mode(path: str) -> tuple[int, int, int]:
    found = os.stat(path)
    return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)


def of_the_path(steps: tuple[Step, ...]) -> list[str]:
    """The steps that are about the path. Whether packages and services are missing is the machine's affair."""
    return [step.kind for step in steps if step.kind in ("directory", "exports")]


async def do(wanted: Wanted) -> None:
    for step in (await plan_for(wanted)).steps:
        if step.kind in ("directory", "exports"):
            await perform(step)


async def test_a_path_is_exported_and_the_second_plan_is_empty(room: Room) -> None:
    wanted = Wanted(PATH, ["127.0.0.1", "10.0.0.0/8", "node1"])
    assert of_the_path((await plan_for(wanted)).steps) == ["directory", "exports"]
    await do(wanted)
    assert of_the_path((await plan_for(wanted)).steps) == []
    assert owner_and_mode(PATH) == (65534, 65534, 0o755)
    assert owner_and_mode("/srv/nfs") == (0, 0, 0o755)
    assert room.live_pairs() == {(client, PATH) for client in ("127.0.0.1", "10.0.0.0/8", "node1.lan")}
    assert await lint_host() == ()


async def test_a_provisioner_comes_first_also_when_it_comes_later(room: Room) -> None:
    await do(Wanted(PATH, ["10.0.0.0/8"]))
    wanted = Wanted(PATH, ["10.0.0.0/8"], ["10.1.0.0/16"])
    assert of_the_path((await plan_for(wanted)).steps) == ["exports"]
    await do(wanted)
    assert room.read().splitlines()[-1].split()[1:] == [
        "10.1.0.0/16(rw,sync,no_subtree_check,no_root_squash)",
        "10.0.0.0/8(rw,sync,no_subtree_check,root_squash)",
    ]
    assert of_the_path((await plan_for(wanted)).steps) == []


async def test_a_provisioner_keeps_its_rights_when_wider_networks_are_added(room: Room) -> None:
    await do(Wanted(PATH, [], ["10.1.0.0/16"]))
    await add_export(Wanted(PATH, ["*", "10.0.0.0/8"]))
    clients = [word.partition("(")[0] for word in room.read().splitlines()[-1].split()[1:]]
    assert clients == ["10.1.0.0/16", "10.0.0.0/8", "*"]


async def test_fsid_on_a_file_system_without_identity(room: Room) -> None:
    room.mount("tmpfs", room.srv / "nfs", "mode=0755")
    wanted = Wanted(PATH, ["10.0.0.0/8"])
    await do(wanted)
    assert ",fsid=" in room.read()
    assert await lint_host() == ()
    assert of_the_path((await plan_for(wanted)).steps) == []


async def test_a_directory_of_another_mode_is_put_right(room: Room) -> None:
    path = room.directory("made by hand", 0o777)
    with pytest.raises(Refused, match="blanks"):
        await plan_for(Wanted(path, ["@g"]))
    path = room.directory("made-by-hand", 0o777)
    await do(Wanted(path, ["@g"]))
    assert owner_and_mode(path) == (65534, 65534, 0o755)


async def test_a_link_is_not_followed(room: Room) -> None:
    room.directory("target")
    os.symlink("target", "/srv/link")
    with pytest.raises(Refused, match="export /srv/target instead"):
        await plan_for(Wanted("/srv/link", ["@g"]))
    step = PrepareDirectory(
        kind="directory", summary=NOTHING, reason=NOTHING, commands=(), path="/srv/link", mode=0o700, uid=1, gid=1
    )
    with pytest.raises(StepFailed):
        await perform(step)
    assert owner_and_mode("/srv/target") == (0, 0, 0o755)


async def test_a_command_that_fails_is_told_with_what_it_said(room: Room) -> None:
    run = (Command(("sh", "-c", 'echo "no $WORD" >&2; exit 3'), (("WORD", "luck"),)), Command(("touch", "/srv/second")))
    step = RunCommands(kind="services", summary=NOTHING, reason=NOTHING, commands=(), run=run, deadline=30)
    with pytest.raises(StepFailed, match=r"a step: .* failed with code 3: no luck") as caught:
        await perform(step)
    assert caught.value.stderr == "no luck\n"
    assert "second" not in os.listdir("/srv")


async def test_status_tells_what_is_exported(room: Room) -> None:
    await do(Wanted(PATH, ["10.0.0.0/8"]))
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
    step = RunCommands(kind="packages", summary=NOTHING, reason=NOTHING, commands=(), run=(), deadline=1)
    said = as_nobody(perform(step))
    assert said == "setting up an NFS server|it takes root, and this is uid 65534; run it with sudo"


async def test_a_plan_is_performed_step_by_step(room: Room) -> None:
    plan = await plan_for(Wanted(PATH, ["10.0.0.0/8"]))
    path_only = type(plan)(plan.path, tuple(step for step in plan.steps if step.kind in ("directory", "exports")))
    done = await perform_all(path_only)
    assert [each.step.kind for each in done] == ["directory", "exports"]
    assert of_the_path((await plan_for(Wanted(PATH, ["10.0.0.0/8"]))).steps) == []
