"""A program that is spoken with while it runs: lines of its output as they come, and bytes for its input.

As with aio.command there is no shell, and it has a process group of its own, of which nothing outlives the block. It
has no terminal, whatever this process has: it can ask nobody.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from berth.aio.command import CommandMissing, done

_LONGEST = 64 << 20
"""Bytes of a line: an answer in JSON is one."""
_KEPT = 16 << 10
"""Bytes of its complaints that are kept, the last ones."""
_REAPING = 5.0
"""Seconds to collect a process that was killed."""


class Dialogue:
    """The program while it runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._complaints = bytearray()
        self._listening = asyncio.create_task(self._listen(), name=f"complaints of {process.pid}")

    async def line(self) -> bytes:
        """Its next line with the line's end; empty when it says no more. A line that is far too long is its last."""
        assert self._process.stdout is not None
        try:
            return await self._process.stdout.readline()
        except ValueError:
            return b""

    async def say(self, content: bytes) -> bool:
        """Gives it these bytes; whether it takes them. It does not when it has ended, or closed its input."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(content)
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError, RuntimeError):
            return False
        return True

    def no_more(self) -> None:
        """It gets nothing any more."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError, ConnectionResetError, RuntimeError):
            self._process.stdin.close()

    async def end(self) -> int:
        """Waits for its end; its exit code, or the signal's number as a negative one."""
        code = await self._process.wait()
        with suppress(TimeoutError):
            # What it has started may hold the pipe open.
            async with asyncio.timeout(_REAPING):
                await asyncio.shield(self._listening)
        return code

    @property
    def complaints(self) -> str:
        """The last of what it has said on stderr so far."""
        return self._complaints.decode("utf-8", "backslashreplace")

    async def kill(self) -> None:
        """Ends it and all that it has started, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self.no_more()
        with suppress(TimeoutError):
            async with asyncio.timeout(_REAPING):
                await self._process.wait()
                # To the end of the pipe, which closes it.
                while await self.line():
                    pass
        self._listening.cancel()
        await asyncio.wait([self._listening])

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        while chunk := await self._process.stderr.read(65536):
            self._complaints += chunk
            del self._complaints[:-_KEPT]


@asynccontextmanager
async def started(argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> AsyncIterator[Dialogue]:
    """Runs argv within the block, and kills it at the block's end if it has not ended. CommandMissing: it can't be
    started. env: added to this process's environment.
    """
    pipe = asyncio.subprocess.PIPE
    environment = {**os.environ, **(env or {}), "LC_ALL": "C"}
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *argv, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, start_new_session=True, limit=_LONGEST
        )
    )
    cancellations = await done(starting)
    try:
        dialogue = Dialogue(starting.result())
    except OSError as error:
        raise CommandMissing(argv, f"could not be started: {error.strerror or error}") from error
    try:
        if cancellations:
            raise cancellations[0]
        yield dialogue
    finally:
        await dialogue.kill()
