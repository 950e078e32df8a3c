"""A host of one's own for a test: real exportfs and mounts, other files in /etc and /var/lib/nfs than the machine's.

A room is a mount namespace that one thread enters; whatever that thread starts is in it, too, and with the thread it is
gone. Needs root.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import threading
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

from berth.aio import command
from berth.nfsserver.exports.export_files import ExportFiles, read_live
from berth.nfsserver.exports.table import show

_CLONE_NEWNS = 0x00020000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_KEPT = ("passwd", "group", "netconfig", "protocols", "services", "rpc", "ld.so.cache", "ld.so.conf", "ld.so.conf.d")
_libc = ctypes.CDLL(None, use_errno=True)

HOSTS = """\
127.0.0.1 localhost
192.0.2.11 node1.lan node1
192.0.2.12 node2.lan node2
192.0.2.13 node3.lan node3
2001:db8::13 node3.lan node3
"""


class Room:
    """One such host. It has an empty /srv, an empty live table, and few files in /etc; all methods are for inside."""

    def __init__(self, below: Path) -> None:
        self.below = below
        self.etc = below / "etc"
        self.state = below / "state"
        self.srv = Path("/srv")
        for directory in (self.etc, self.state, below / "srv"):
            directory.mkdir(mode=0o755)
        for name in _KEPT:
            source = Path("/etc", name)
            if source.is_dir():
                shutil.copytree(source, self.etc / name)
            elif source.exists():
                shutil.copy(source, self.etc / name)
        (self.etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\nnetgroup: files\n")
        # As Debian has it. A process reads this once: without it, the answer for a host with two addresses would hang
        # on whether this process had resolved anything before it entered the room.
        (self.etc / "host.conf").write_text("multi on\n")
        (self.etc / "hosts").write_text(HOSTS)
        (self.etc / "exports").write_text("# nothing yet\n")
        (self.state / "etab").touch()
        self.files = ExportFiles()

    def enter(self) -> None:
        """Moves the calling thread into the room."""
        _check(_libc.unshare(_CLONE_NEWNS), "unshare")
        _check(_libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), "mount / private")
        self.bind(self.etc, Path("/etc"))
        self.bind(self.state, Path("/var/lib/nfs"))
        self.bind(self.below / "srv", self.srv)

    def bind(self, source: Path, target: Path) -> None:
        """Shows source at target, inside the room."""
        _check(_libc.mount(os.fsencode(source), os.fsencode(target), None, _MS_BIND, None), f"bind {target}")

    def mount(self, kind: str, target: Path, options: str = "") -> None:
        """Mounts a file system that needs no device, inside the room."""
        target.mkdir(exist_ok=True)
        arguments = (kind.encode(), os.fsencode(target), kind.encode(), 0, options.encode())
        _check(_libc.mount(*arguments), f"mount {kind} at {target}")

    def write(self, content: bytes, name: str = "") -> None:
        """Makes content the exports file, or the one of that name below exports.d."""
        if name:
            (self.etc / "exports.d").mkdir(exist_ok=True)
        (self.etc / (f"exports.d/{name}" if name else "exports")).write_bytes(content)

    def read(self, name: str = "exports.d/berth.exports") -> str:
        """What a file below /etc holds; empty when it is not there."""
        path = self.etc / name
        return path.read_text() if path.exists() else ""

    def directory(self, name: str, mode: int = 0o755) -> str:
        """A directory to export, made now; its path."""
        path = self.srv / name
        path.mkdir(parents=True)
        path.chmod(mode)
        return str(path)

    def live_pairs(self) -> set[tuple[str, str]]:
        """Clients and paths that are live."""
        return {(export.client, export.path) for export in read_live(self.files)}

    def replace_program(self, path: str, script: str) -> None:
        """Puts a shell script in the place of a program, inside the room. The program itself is at $REAL in it."""
        real, fake = self.below / "real", self.below / "fake"
        real.touch()
        self.bind(Path(path), real)
        fake.write_text(f"#!/bin/sh\nREAL={real}\n{script}")
        fake.chmod(0o755)
        self.bind(fake, Path(path))

    async def exportfs(self, *arguments: str) -> command.Result:
        """The real exportfs, whatever it answers."""
        return await command.run(["exportfs", *arguments], deadline=30, accept=range(256))

    async def shown(self) -> str:
        """The output of `exportfs -v`."""
        return (await self.exportfs("-v")).stdout

    def live(self) -> list[str]:
        """The live exports as Berth reads the table, in the form of `exportfs -v`, sorted."""
        return sorted(show(export) for export in read_live(self.files))


def unaccounted(output: str, entries: Iterable[str]) -> str:
    """What is left of the output of `exportfs -v` without these entries; those that are not in it, after `missing`.

    Taken apart so, and not at newlines, because a path may hold anything.
    """
    missing = []
    for entry in sorted(entries, key=len, reverse=True):
        before, found, after = output.partition(f"{entry}\n")
        missing += [] if found else [entry]
        output = before + after if found else output
    return output + "".join(f"\nmissing: {entry}" for entry in missing)


def run_inside(room: Room, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs test in the room, and raises what it raises."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            room.enter()
            asyncio.run(test())
        except BaseException as error:  # noqa: BLE001 - it is raised again, where pytest sees it
            raised.append(error)

    thread = threading.Thread(target=run, name="room")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def _check(code: int, what: str) -> None:
    if code:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
