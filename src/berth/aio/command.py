"""The one way to run a subprocess.

No shell, the locale C (so that output can be parsed), a deadline, a process group of its own that is killed whole when
the deadline passes or the caller is cancelled, and errors that keep everything one needs to know:

CommandError      argv, code, stdout, stderr
 |- CommandMissing   the program could not be started (not installed, not executable)
 |- CommandFailed    it ended with a code that was not accepted
 `- CommandTimedOut  it was killed at the deadline; stdout and stderr hold what it had said by then
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

_REAPING = 5.0
"""Seconds to collect a process that was killed: it is gone at once, unless it hangs in the kernel."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a command said. Bytes that are not UTF-8 appear as backslash escapes."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str


class CommandError(Exception):
    """Base of the family; never raised itself."""

    def __init__(
        self, argv: Sequence[str], why: str, *, code: int | None = None, stdout: str = "", stderr: str = ""
    ) -> None:
        said = " ".join(stderr.split())
        if len(said) > 400:
            said = "…" + said[-400:]
        super().__init__(f"`{shlex.join(argv)}` {why}" + (f": {said}" if said else ""))
        self.argv = tuple(argv)
        self.code = code
        self.stdout = stdout
        self.stderr = stderr


class CommandMissing(CommandError):  # noqa: N818
    """The program could not be started: it is not installed, or not executable."""


class CommandFailed(CommandError):  # noqa: N818
    """The program ended with a code that the caller does not accept."""


class CommandTimedOut(CommandError):  # noqa: N818
    """The program did not end in time and was killed, with all that it had started."""


async def run(
    argv: Sequence[str],
    *,
    deadline: float,
    stdin: bytes = b"",
    accept: Collection[int] = (0,),
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> Result:
    """Runs argv and returns what it said, or raises a CommandError. Nothing that it started outlives a failure.

    deadline: seconds; accept: the codes that are no failure; env: added to this process's environment.
    """
    environment = {**os.environ, **(env or {}), "LC_ALL": "C"}
    pipe = asyncio.subprocess.PIPE
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *argv, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, cwd=cwd, start_new_session=True
        )
    )
    try:
        process = await asyncio.shield(starting)
    except asyncio.CancelledError:
        # Left to itself, asyncio kills the program alone and then waits for those that it started in this short time.
        with suppress(OSError):
            await _kill(await starting)
        raise
    except OSError as error:
        raise CommandMissing(argv, f"could not be started: {error.strerror or error}") from error
    out, err = bytearray(), bytearray()
    try:
        async with asyncio.timeout(deadline), asyncio.TaskGroup() as group:
            group.create_task(_feed(process, stdin))
            group.create_task(_collect(process.stdout, out))
            group.create_task(_collect(process.stderr, err))
            code = await process.wait()
    except TimeoutError as error:
        await _kill(process)
        why = f"was killed after {deadline:g} s"
        raise CommandTimedOut(argv, why, code=process.returncode, stdout=_text(out), stderr=_text(err)) from error
    except asyncio.CancelledError:
        await _kill(process)
        raise
    if code not in accept:
        raise CommandFailed(argv, f"failed with code {code}", code=code, stdout=_text(out), stderr=_text(err))
    return Result(tuple(argv), code, _text(out), _text(err))


async def _feed(process: asyncio.subprocess.Process, content: bytes) -> None:
    assert process.stdin is not None
    # A program may end without reading all that it was given. RuntimeError: uvloop has noticed and closed the pipe.
    with suppress(BrokenPipeError, ConnectionResetError, RuntimeError):
        process.stdin.write(content)
        await process.stdin.drain()
    process.stdin.close()
    # The transport lets go of the process once all pipes are closed; a loop that ends earlier leaves it dangling.
    with suppress(BrokenPipeError, ConnectionResetError):
        await process.stdin.wait_closed()


async def _collect(stream: asyncio.StreamReader | None, into: bytearray) -> None:
    assert stream is not None
    while chunk := await stream.read(65536):
        into += chunk


async def _kill(process: asyncio.subprocess.Process) -> None:
    # The group's number can't have been given to anybody else: its leader has not been waited for, or a member lives
    # on.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    # To the end of the pipes, which closes them. A program that left the group may hold them open: it is not awaited.
    with suppress(TimeoutError):
        async with asyncio.timeout(_REAPING):
            await process.wait()
            await _collect(process.stdout, bytearray())
            await _collect(process.stderr, bytearray())


def _text(said: bytearray) -> str:
    return said.decode("utf-8", "backslashreplace")
