"""One connection to a host, over which any number of programs are run one after the other."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from berth.aio import command
from berth.aio.command import CommandMissing, Result
from berth.aio.dialogue import Dialogue, started
from berth.findings.finding import Subject
from berth.operations.remote.client import GREETING, PROGRAM, SshOptions, connect_argv, folder_for_socket, run_argv
from berth.operations.remote.faults import fault, words_of
from berth.operations.remote.findings import LostOnTheWay, Unreached, find
from berth.operations.remote.secrets import Helper, Secrets
from berth.operations.remote.target import Target

SSH_FAILED = 255
"""What ssh ends with where it is ssh that failed. No command of Berth's does."""
_PLAIN = "LC_ALL=C; export LC_ALL; "
"""Before every script: what programs say there is looked at."""
_ASKING = 60.0
"""Seconds for a question to a host's shell."""
_LEAVING = 3.0
"""Seconds for the good end of a connection."""
_HEARD = 400
"""Characters of what a login prints that are told."""


@dataclass(frozen=True, slots=True)
class SshConnection:
    """A host that has let us in. All methods raise LostOnTheWay when the connection breaks."""

    target: Target
    folder: Path

    async def ask(self, script: str, *, stdin: bytes = b"") -> Result:
        """What a script of the Bourne shell says there, whatever it ends with. stdin: what it reads; by default the
        script comes that way itself, so that the host's own shell may be any.
        """
        line = f"exec sh -c {shlex.quote(_PLAIN + script)}" if stdin else "exec sh -s"
        argv = run_argv(self.target, self.folder, line)
        given = stdin or (_PLAIN + script).encode()
        try:
            result = await command.run(argv, deadline=_ASKING, stdin=given, accept=range(256))
        except command.CommandError as error:
            raise self.lost(error.stderr) from error
        if result.code == SSH_FAILED:
            raise self.lost(result.stderr)
        return result

    def run(self, argv: Sequence[str]) -> AbstractAsyncContextManager[Dialogue]:
        """A program there, to be spoken with. Its words have to be without line breaks: not every shell has a way to
        quote them.
        """
        return started(run_argv(self.target, self.folder, f"exec {shlex.join(argv)}"))

    def lost(self, complaints: str) -> LostOnTheWay:
        """The error of a connection that broke."""
        said = words_of(complaints) or "-"
        return LostOnTheWay(find("connection-lost", Subject("host", str(self.target)), said=said))


@asynccontextmanager
async def connected(target: Target, options: SshOptions, secrets: Secrets | None) -> AsyncIterator[SshConnection]:
    """A connection within the block. Unreached where there is none to be had. secrets: answers what ssh asks for; None:
    it must not ask.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(folder_for_socket()))
        helper = Helper(folder, secrets) if secrets else None
        environment = await stack.enter_async_context(helper) if helper else {}
        argv = connect_argv(target, options, folder, may_ask=helper is not None)
        try:
            ssh = await stack.enter_async_context(started(argv, env=environment))
        except CommandMissing as error:
            raise Unreached(find("no-ssh-here", Subject("host", str(target)), program=PROGRAM)) from error
        heard = ""
        while line := await ssh.line():
            if line.rstrip().endswith(GREETING.encode()):
                break
            heard = f"{heard} {line.decode('utf-8', 'replace').strip()}".strip()[:_HEARD]
        else:
            await ssh.end()
            if helper and helper.failure:
                raise helper.failure
            raise Unreached(fault(target, options, ssh.complaints, heard=heard, was_asked=helper is not None))
        yield SshConnection(target, folder)
        # The connection goes when its program has nothing to read any more.
        ssh.no_more()
        try:
            async with asyncio.timeout(_LEAVING):
                await ssh.end()
        except TimeoutError:
            return
