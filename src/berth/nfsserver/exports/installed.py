"""Which nfs-utils reads the exports: its release, and the options of newer releases at which it stops."""

from __future__ import annotations

import asyncio
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from berth.aio import command
from berth.aio.command import PROGRAMS, CommandError
from berth.nfsserver.errors import RequestRefused
from berth.nfsserver.exports.flags import NEWER
from berth.nfsserver.texts import say

DEADLINE = 5.0
"""Seconds for a program to tell its version."""

_ASKED = (("rpc.mountd", "--version"), ("mount.nfs", "-V"))
"""Programs of nfs-utils that tell its release; exportfs itself does not."""
_RELEASE = re.compile(r"\d+(\.\d+)+")


@dataclass(frozen=True, slots=True)
class NfsUtils:
    """An nfs-utils whose exportfs can be asked, or was named."""

    release: str
    """Such as 2.6.2; empty: it is not told."""
    unknown: frozenset[str] = field(default=frozenset())
    """The options of newer releases that it does not know."""


def of_release(release: str) -> NfsUtils:
    """The nfs-utils of that release, as it was published. RequestRefused: it is no release such as 2.6.2."""
    if not _RELEASE.fullmatch(release):
        raise RequestRefused("--nfs-utils", say("refused.no-release", release=release))
    return NfsUtils(release, frozenset(name for name, since in NEWER.items() if _number(release) < _number(since)))


async def ask_installed() -> NfsUtils | None:
    """The nfs-utils of this host; None where there is no exportfs. Never raises.

    What exportfs knows is looked for in the program: a distribution's 2.5.4 may know what came with 2.6.4.
    """
    unknown = await asyncio.to_thread(_unknown)
    return None if unknown is None else NfsUtils(await _release(), unknown)


def _unknown() -> frozenset[str] | None:
    program = shutil.which("exportfs", path=PROGRAMS)
    if program is None:
        return None
    try:
        content = Path(program).read_bytes()
    except OSError:
        return None
    return frozenset(name for name in NEWER if name.encode() not in content)


async def _release() -> str:
    for argv in _ASKED:
        try:
            result = await command.run(argv, deadline=DEADLINE, accept=(0, 1), env={"PATH": PROGRAMS})
        except CommandError:
            continue
        if found := _RELEASE.search(result.stdout + result.stderr):
            return found[0]
    return ""


def _number(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split(".")))
