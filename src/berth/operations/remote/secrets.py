"""What ssh and sudo want to be told: a password, the passphrase of a key, a code.

ssh takes it from a program (SSH_ASKPASS, ssh(1)). Ours is a few lines of shell which hand ssh's question to this
process, and hand the answer back, through two pipes in a folder that is this user's alone: the secret is in no command
line, no environment and no file. A question that wants a yes, such as whether a host's key is the right one, it leaves
unanswered.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

from berth.texts.text import Text

Ask = Callable[[Text], Awaitable[str]]
"""Asks the person; the answer."""

_HELPER = """\
#!/bin/sh
case ${SSH_ASKPASS_PROMPT:-}$1 in confirm* | none* | *yes/no*) exit 1 ;; esac
printf '%s\\n' "$1" >"${0%/*}/asked" && IFS= read -r told <"${0%/*}/told" && printf '%s\\n' "$told"
"""
_PROMPT = 400


class Secrets:
    """What the person has told in the course of one command: what opened one host is tried on the others, too."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._known: str | None = None
        self._turn = asyncio.Lock()

    async def password(self, question: Text, *, is_first: bool) -> str:
        """The answer to a question. is_first: what is known may do; else it was wrong."""
        async with self._turn:
            if is_first and self._known is not None:
                return self._known
            self._known = await self._ask(question)
            return self._known


class Helper:
    """Answers what ssh asks for one host, as long as it is entered."""

    def __init__(self, folder: Path, secrets: Secrets) -> None:
        self._program, self._asked, self._told = folder / "ask", folder / "asked", folder / "told"
        self._secrets = secrets
        self._answering: asyncio.Task[None] | None = None
        self.failure: BaseException | None = None

    async def __aenter__(self) -> Mapping[str, str]:
        """The environment that ssh takes."""
        for pipe in (self._asked, self._told):
            os.mkfifo(pipe, 0o600)
        self._program.write_text(_HELPER)
        self._program.chmod(0o700)
        self._answering = asyncio.create_task(self._answer(), name="answers for ssh")
        # Clients before OpenSSH 8.4 ask a program where they have no terminal, and a display.
        return {
            "SSH_ASKPASS": str(self._program),
            "SSH_ASKPASS_REQUIRE": "force",
            "DISPLAY": os.environ.get("DISPLAY") or ":0",
        }

    async def __aexit__(self, *_: object) -> None:
        assert self._answering is not None
        self._answering.cancel()
        await asyncio.wait([self._answering])
        for path in (self._program, self._asked, self._told):
            path.unlink(missing_ok=True)

    async def _answer(self) -> None:
        loop, heard = asyncio.get_running_loop(), asyncio.Queue[bytes]()
        # Open at both ends: then they never end, and opening them waits for nobody.
        reader = os.open(self._asked, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        writer = self._told.open("r+b", buffering=0)

        def hear() -> None:
            with suppress(BlockingIOError):
                heard.put_nowait(os.read(reader, 65536))

        loop.add_reader(reader, hear)
        is_first = True
        try:
            while True:
                asked = " ".join((await heard.get()).decode("utf-8", "replace").split())[:_PROMPT]
                # A passphrase is another secret than the password that opens hosts.
                is_known = is_first and "passphrase" not in asked
                told = await self._secrets.password(Text(asked, asked), is_first=is_known)
                is_first = False
                writer.write(f"{told}\n".encode())
        except Exception as error:  # noqa: BLE001 - who waits for the connection raises it
            self.failure = error
            writer.write(b"\n")
        finally:
            loop.remove_reader(reader)
            os.close(reader)
            writer.close()
