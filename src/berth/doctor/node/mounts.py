"""The NFS mounts there are: whether they answer, are stale or full, and whether their options lose data."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

from berth.doctor.known import find
from berth.doctor.node.answers import MountAnswer, ask
from berth.doctor.node.host import Host
from berth.doctor.run import Check
from berth.findings.finding import Finding, Subject, Unseen
from berth.host.mountinfo import Mount
from berth.texts.phrases import bilingual
from berth.texts.text import Text

_AT_ONCE = 8
_SHOWN = 20
"""Mounts that one finding names at most."""
_NOT_HERE = Text(
    "it is not mounted here: give the volume of the host's / the mountPropagation HostToContainer",
    "此处看不到该挂载：请为挂载主机 / 的卷设置 mountPropagation: HostToContainer",
)
_NEARLY = 95
_BYTES, _INODES = Text("space", "空间"), Text("inodes", "inode")


async def _look_whether_they_answer(host: Host) -> AsyncIterator[Finding | Unseen]:
    by_server: dict[str, list[Mount]] = {}
    for mount in _one_of_each(host.nfs_mounts):
        if not host.can_see(mount):
            yield Unseen(Subject("mount", mount.point).text, _NOT_HERE)
            continue
        by_server.setdefault(mount.server, []).append(mount)
    seats = asyncio.Semaphore(_AT_ONCE)

    async def ask_one(mount: Mount) -> tuple[Mount, MountAnswer]:
        async with seats:
            return mount, await ask(Path(str(host.path(mount.point))))

    # One mount of each server first: where it hangs, the others would, too, each for its whole deadline.
    firsts = await asyncio.gather(*(ask_one(mounts[0]) for mounts in by_server.values()))
    hanging = {mount.server for mount, answer in firsts if answer.state == "hangs"}
    for server in sorted(hanging):
        yield _hanging(by_server[server])
    rest = [mount for server, mounts in by_server.items() if server not in hanging for mount in mounts[1:]]
    others = await asyncio.gather(*(ask_one(mount) for mount in rest))
    answers = [each for each in (*firsts, *others) if each[0].server not in hanging]
    for mount, answer in answers:
        for found in _judge(mount, answer):
            yield found
    for found in _judge_space(answers):
        yield found


def _one_of_each(mounts: Iterable[Mount]) -> Iterable[Mount]:
    """Of all mounts of one directory the first."""
    return {(mount.device, mount.root): mount for mount in reversed(list(mounts))}.values()


def _hanging(mounts: Sequence[Mount]) -> Finding:
    about = [Subject("server", mounts[0].server), *(Subject("mount", mount.point) for mount in mounts[:_SHOWN])]
    return find("server-not-responding", *about, variant="mount", mountpoint=mounts[0].point, share=mounts[0].source)


def _judge(mount: Mount, answer: MountAnswer) -> Iterable[Finding | Unseen]:
    about = Subject("mount", mount.point)
    match answer.state:
        case "hangs":
            yield _hanging([mount])
        case "stale":
            yield find(
                "stale-handle",
                about,
                variant="mount",
                mountpoint=mount.point,
                share=mount.source,
                evidence=[answer.why],
            )
        case "fails":
            yield Unseen(about.text, bilingual(answer.why))


def _judge_space(answers: Iterable[tuple[Mount, MountAnswer]]) -> Iterable[Finding]:
    """A share that is full, or will soon be: told once, however many of its volumes are mounted."""
    told = set()
    for mount, answer in answers:
        space = answer.space
        if space is None or mount.device in told:
            continue
        told.add(mount.device)
        for what, percent, left in (
            (_BYTES, space.percent_of_space, space.blocks_free),
            (_INODES, space.percent_of_inodes, space.inodes_free),
        ):
            if percent >= _NEARLY:
                about = Subject("share", mount.source)
                if left:
                    yield find("share-nearly-full", about, mountpoint=mount.point, what=what, percent=percent)
                else:
                    yield find("share-full", about, variant="mount", mountpoint=mount.point, what=what)


async def _look_at_options(host: Host) -> AsyncIterator[Finding | Unseen]:
    groups: dict[tuple[str, str, str], list[Mount]] = {}
    for mount in host.nfs_mounts:
        soft = mount.first_of("soft", "softerr")
        local = mount.first_of("nolock", "local_lock=all", "local_lock=flock", "local_lock=posix")
        if mount.is_writable and soft:
            groups.setdefault(("soft-mount", soft, mount.server), []).append(mount)
        if mount.is_writable and local and mount.version == "3":
            groups.setdefault(("locks-local", local, mount.server), []).append(mount)
    for (failure, option, _), mounts in groups.items():
        about = [Subject("mount", mount.point) for mount in mounts[:_SHOWN]]
        evidence = [",".join(mounts[0].super_options)]
        yield find(
            failure,
            *about,
            variant="mount",
            evidence=evidence,
            count=len(mounts),
            mountpoint=mounts[0].point,
            share=mounts[0].source,
            option=option,
        )


CHECKS: tuple[Check[Host], ...] = (
    Check(
        "node-mounts",
        Text("whether the NFS mounts answer, and have room", "NFS 挂载点是否应答、是否有空间"),
        _look_whether_they_answer,
        deadline=12.0,
    ),
    Check("node-options", Text("the options of the NFS mounts", "NFS 挂载选项"), _look_at_options),
)
