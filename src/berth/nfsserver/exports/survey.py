"""Asks the host for HostFacts: what is at the paths, what is mounted, whom the resolver knows, what is live."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from berth.host.mountinfo import read_mountinfo
from berth.nfsserver.exports.export_files import (
    ExportFiles,
    find_export_files,
    ignored_in,
    read_files,
    read_live,
    read_varying,
)
from berth.nfsserver.exports.facts import FileSystem, HostFacts, PathFacts
from berth.nfsserver.exports.installed import NfsUtils, ask_installed
from berth.nfsserver.exports.parse import ExportsFile
from berth.nfsserver.exports.spelling import resolve

DEADLINE = 10.0
"""Seconds for looking at all paths. A dead network file system may hang for ever; then they count as not looked at."""

_USUAL = ("", "/mnt", "/srv", "/srv/nfs", "/data", "/export", "/exports", "/home", "/nfs", "/mount", "/media", "/opt")
_MOST_LOOKALIKES = 3


async def survey_host(
    paths: Iterable[str] = (), clients: Iterable[str] = (), nfs_utils: NfsUtils | None = None
) -> tuple[tuple[ExportsFile, ...], HostFacts]:
    """All exports files of this host, and the facts about them (see survey). UnreadableExports: one can't be read.

    nfs_utils: read them as that one would; None: as the installed one.
    """
    where = find_export_files()
    reader = nfs_utils or await ask_installed()
    files = read_files(where, read_varying(), reader.unknown if reader else ())
    return files, replace(await survey(files, where, paths, clients), nfs_utils=reader)


async def survey(
    files: Sequence[ExportsFile], where: ExportFiles | None, paths: Iterable[str] = (), clients: Iterable[str] = ()
) -> HostFacts:
    """The facts about these files. where: the host's table and ignored files are told, too; None leaves them out.

    paths, clients: more to look at, and to ask the resolver for.
    """
    wanted = {statement.path for file in files for statement in file.statements} | set(paths)
    listed = [entry.export.client for file in files for entry in file.entries]
    varying = read_varying()
    live = read_live(where, varying) if where else None
    known, looked = await asyncio.gather(
        resolve([*listed, *clients, *(export.client for export in live or ())]), look(sorted(wanted))
    )
    root = _mount_of("/", read_mounts())
    ignored = tuple(str(path) for path in ignored_in(where.directory)) if where else ()
    return HostFacts(looked, known, root, live, ignored, read_machine_id(), varying)


async def look(paths: Sequence[str]) -> dict[str, PathFacts]:
    """What is at each path. Those that did not answer in time are left out."""
    mounts = read_mounts()
    try:
        async with asyncio.timeout(DEADLINE):
            return await asyncio.to_thread(lambda: {path: facts_of_path(path, mounts) for path in paths})
    except TimeoutError:
        return {}


def read_mounts() -> tuple[FileSystem, ...]:
    """What is mounted on this host, as this thread sees it; the last one where several are on one point."""
    seen = read_mountinfo(Path("/proc/thread-self/mountinfo"))
    return tuple({mount.point: FileSystem(mount.point, mount.kind) for mount in seen}.values())


def read_machine_id() -> str:
    """The machine's own identifier, or its host name where it has none."""
    for path in (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id")):
        if path.exists() and (text := path.read_text().strip()):
            return text
    return os.uname().nodename


def facts_of_path(path: str, mounts: Sequence[FileSystem]) -> PathFacts:
    """What is at one path. It never raises; what can't be looked at is missing."""
    if not path.startswith("/") or "\0" in path:
        return PathFacts(path, path, "missing")
    try:
        real = os.path.realpath(path, strict=True)
        found = os.stat(real)
    except OSError:
        existing = _existing(path)
        parent, mode = _blocking(existing)
        changeable, owner = _changeable(existing, "")
        return PathFacts(
            path,
            os.path.realpath(path),
            "missing",
            parent=parent,
            parent_mode=mode,
            changeable=changeable,
            changeable_mode=stat.S_IMODE(owner.st_mode),
            changeable_uid=owner.st_uid,
            mount=_mount_of(existing, mounts),
            lookalikes=_lookalikes(path, existing),
        )
    is_directory = stat.S_ISDIR(found.st_mode)
    parent, mode = _blocking(os.path.dirname(real))
    changeable, owner = _changeable(os.path.dirname(real), real)
    below = real.rstrip("/") + "/"
    return PathFacts(
        path,
        real,
        "directory" if is_directory else "other",
        stat.S_IMODE(found.st_mode),
        found.st_uid,
        found.st_gid,
        is_empty=is_directory and not os.listdir(real),
        parent=parent,
        parent_mode=mode,
        changeable=changeable,
        changeable_mode=stat.S_IMODE(owner.st_mode),
        changeable_uid=owner.st_uid,
        identity=(found.st_dev, found.st_ino),
        mount=_mount_of(real, mounts),
        below=tuple(each for each in mounts if each.point.startswith(below) and each.is_exportable),
    )


def _existing(path: str) -> str:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return os.path.realpath(path)


def _blocking(path: str) -> tuple[str, int]:
    """The nearest directory from path upwards that others can't pass, with its mode; nothing when all can be passed."""
    while True:
        mode = stat.S_IMODE(os.stat(path).st_mode)
        if not mode & stat.S_IXOTH:
            return path, mode
        if path == "/":
            return "", 0
        path = os.path.dirname(path)


def _changeable(path: str, child: str) -> tuple[str, os.stat_result]:
    """The nearest directory from path upwards in which others than root can put something else in child's place, with
    what is known of it; empty when there is none.
    """
    while True:
        found = os.stat(path)
        lets_others = found.st_mode & 0o002 or (found.st_mode & 0o020 and found.st_gid)
        if lets_others and found.st_mode & stat.S_ISVTX:  # each his own entries
            lets_others = bool(child) and os.lstat(child).st_uid != 0
        if found.st_uid or lets_others:
            return path, found
        if path == "/":
            return "", found
        child, path = path, os.path.dirname(path)


def _mount_of(path: str, mounts: Sequence[FileSystem]) -> FileSystem:
    above = [each for each in mounts if path == each.point or path.startswith(each.point.rstrip("/") + "/")]
    return max(above, key=lambda each: len(each.point), default=FileSystem("/", ""))


def _lookalikes(path: str, existing: str) -> tuple[str, ...]:
    parts = [part for part in path.split("/") if part]
    tails = ["/".join(parts[at:]) for at in range(len(parts))]
    candidates = [f"{start}/{tail}" for tail in tails for start in _USUAL]
    missing = path.removeprefix(existing).strip("/").split("/")
    try:
        close = get_close_matches(missing[0], os.listdir(existing), n=_MOST_LOOKALIKES, cutoff=0.8)
    except OSError:
        close = []
    candidates += ["/".join((existing.rstrip("/"), name, *missing[1:])) for name in close]
    found = dict.fromkeys(each for each in candidates if each != path and os.path.isdir(each))
    return tuple(found)[:_MOST_LOOKALIKES]
