"""A command of Berth's at work on another host: connected, brought there, begun as root, and heard to its end."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import dirname
from typing import Any

from berth.aio.dialogue import Dialogue
from berth.findings.finding import Finding, Subject
from berth.operations.remote import protocol
from berth.operations.remote.bring import FULL, bring
from berth.operations.remote.client import SshOptions
from berth.operations.remote.command_file import ARCHITECTURES, choose
from berth.operations.remote.connection import SSH_FAILED, SshConnection, connected
from berth.operations.remote.findings import LostOnTheWay, Unreached, find
from berth.operations.remote.root import as_root
from berth.operations.remote.secrets import Secrets
from berth.operations.remote.target import Target
from berth.operations.remote.there import There, look
from berth.texts.text import Text

Told = Callable[[Text], None]
"""Is told what is being done."""

_CONNECTING = Text("connecting to {}", "正在连接 {}")
_BRINGING = Text("bringing berth to {}: {}%", "正在把 berth 传到 {}：{}%")
_STARTING = Text("starting berth on {}", "正在 {} 上启动 berth")
_NOEXEC = "noexec"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done on each host. words: the command behind `berth`. streams: of stdin, stdout and stderr those
    that are terminals here. commands: files to bring, where they were named."""

    words: tuple[str, ...]
    streams: tuple[str, ...] = ()
    options: SshOptions = field(default_factory=SshOptions)
    commands: tuple[Path, ...] = ()


class WorkThere:
    """The command while it runs there."""

    def __init__(self, connection: SshConnection, dialogue: Dialogue, there: There, place: str) -> None:
        self._connection = connection
        self._dialogue = dialogue
        self._there = there
        self._place = place
        self._is_begun = False

    async def records(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """What it has to say, as it says it, up to its end."""
        while line := await self._dialogue.line():
            if record := protocol.decode(line):
                self._is_begun = True
                yield record

    async def answer(self, is_agreed: bool) -> None:
        """Answers what it has asked."""
        await self._dialogue.say((protocol.YES if is_agreed else protocol.NO) + b"\n")

    async def interrupt(self) -> None:
        """Interrupts it as Ctrl-C does."""
        await self._dialogue.say(protocol.INTERRUPT + b"\n")

    async def code(self) -> int:
        """What it ended with. Unreached: it never began; LostOnTheWay: what became of it is not known."""
        code = await self._dialogue.end()
        if self._is_begun and code != SSH_FAILED and code >= 0:
            return code
        complaints = self._dialogue.complaints
        if code == SSH_FAILED or code < 0:
            # Where the connection still stands, it was the program that broke.
            await self._connection.ask(":")
        if self._is_begun:
            host = Subject("host", str(self._connection.target))
            raise LostOnTheWay(find("killed-there", host, said=" ".join(complaints.split()) or "-"))
        # What does not start is not left there.
        await self._connection.ask(f"rm -f {shlex.quote(self._place)}; rmdir {shlex.join(self._there.folders)}")
        raise Unreached(_not_begun(self._connection, self._there, complaints))


@asynccontextmanager
async def at_work(target: Target, order: Order, secrets: Secrets | None, told: Told) -> AsyncIterator[WorkThere]:
    """The command at work within the block. Unreached where it can't be begun; then nothing was done there."""
    told(_filled(_CONNECTING, target))
    async with connected(target, order.options, secrets) as connection:
        there = await look(connection)
        host = Subject("host", str(target))
        if there is None:
            raise Unreached(find("no-posix-shell", host))
        if there.system != "Linux" or there.kernel not in ARCHITECTURES:
            raise Unreached(find("no-berth-for-it", host, system=there.system, kernel=there.kernel))
        root = await as_root(connection, there, secrets)
        file = choose(there.kernel, order.commands, host)
        place = await bring(connection, there, file, lambda part: told(_filled(_BRINGING, target, part)))
        told(_filled(_STARTING, target))
        words = ["sh", place, f"{protocol.OPTION}{','.join(order.streams)}", *order.words]
        settings = ["LC_ALL=C"]
        if not root.words:
            # There is room, and programs can be run. What is not root's, root would not unpack into.
            settings.append(f"BERTH_UNPACK={dirname(place)}")
        async with connection.run([*root.words, "env", *settings, *words]) as dialogue:
            if root.first:
                await dialogue.say(root.first)
            yield WorkThere(connection, dialogue, there, place)


def _not_begun(connection: SshConnection, there: There, complaints: str) -> Finding:
    host, said = Subject("host", str(connection.target)), " ".join(complaints.split()) or "-"
    if said.startswith("sudo:"):
        return find("sudo-refused", host, variant="silent", user=there.user, said=said)
    if FULL.search(said):
        return find("disk-full-there", host, folders=list(there.folders), said=said)
    if _NOEXEC in said:
        return find("noexec-there", host, folders=[*there.noexec, *there.folders])
    return find("not-begun", host, said=said)


def left_behind(target: Target) -> LostOnTheWay:
    """The error of work that was interrupted, and that nobody waits for any more."""
    return LostOnTheWay(find("left-behind", Subject("host", str(target))))


def _filled(text: Text, *facts: object) -> Text:
    return Text(text.en.format(*facts), text.zh.format(*facts))
