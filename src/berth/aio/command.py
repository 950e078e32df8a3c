"""The one way to run a subprocess.

No shell, the locale C (so that output can be parsed), a deadline, a process group of its own that is killed whole when
the deadline passes or the caller is cancelled (programs that leave a mess when killed may be asked to end before that),
and errors that keep everything one needs to know:

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

PROGRAMS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""A PATH with root's folders too, where exportfs, mount.nfs and their like are, whatever the caller's PATH says."""

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
    grace: float = 0.0,
    stdin: bytes = b"",
    accept: Collection[int] = (0,),
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> Result:
    """Runs argv and returns what it said, or raises a CommandError. Nothing that it started outlives a failure.

    deadline: seconds; grace: seconds to end in good order (after SIGINT to the program alone, as package managers want
    it: they finish what must not stay half done) before all is killed, cut short when the caller is cancelled again;
    accept: the codes that are no failure; env: added to this process's environment.
    """
    environment = {**os.environ, **(env or {}), "LC_ALL": "C"}
    pipe = asyncio.subprocess.PIPE
    is_deaf = bool(grace) and signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *argv,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env=environment,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_hear_interrupts if is_deaf else None,
        )
    )
    cancellations = await done(starting)
    out, err = bytearray(), bytearray()
    if cancellations:
        with suppress(OSError):
            await _end(starting.result(), grace if len(cancellations) == 1 else 0, out, err)
        raise cancellations[0]
    try:
        process = starting.result()
    except OSError as error:
        raise CommandMissing(argv, f"could not be started: {error.strerror or error}") from error
    try:
        async with asyncio.timeout(deadline), asyncio.TaskGroup() as group:
            group.create_task(_feed(process, stdin))
            group.create_task(_collect(process.stdout, out))
            group.create_task(_collect(process.stderr, err))
            code = await process.wait()
    except TimeoutError as error:
        await _end(process, grace, out, err)
        why = f"was {'ended' if grace else 'killed'} after {deadline:g} s"
        raise CommandTimedOut(argv, why, code=process.returncode, stdout=_text(out), stderr=_text(err)) from error
    except asyncio.CancelledError:
        await _end(process, grace, out, err)
        raise
    if code not in accept:
        why = f"failed with code {code}" if code >= 0 else f"was ended by signal {-code}"
        raise CommandFailed(argv, why, code=code, stdout=_text(out), stderr=_text(err))
    return Result(tuple(argv), code, _text(out), _text(err))


async def done(starting: asyncio.Future[asyncio.subprocess.Process]) -> list[asyncio.CancelledError]:
    """Waits until a program is started, or can't be; the cancellations of the caller meanwhile, which are his to raise.

    Starting is not interrupted: left to itself, asyncio would kill the program alone, and then wait for those that it
    has started in this short time.
    """
    cancellations = []
    while not starting.done():
        try:
            await asyncio.wait([starting])
        except asyncio.CancelledError as error:
            cancellations.append(error)
    return cancellations


def _hear_interrupts() -> None:
    """What this process ignores (in the background, under nohup), a program that is asked to end by it must not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


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


async def _end(process: asyncio.subprocess.Process, grace: float, out: bytearray, err: bytearray) -> None:
    is_over = False
    try:
        if grace:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
            with suppress(TimeoutError):
                async with asyncio.timeout(grace), asyncio.TaskGroup() as group:
                    # It goes on talking meanwhile, and would hang at a full pipe.
                    group.create_task(_collect(process.stdout, out))
                    group.create_task(_collect(process.stderr, err))
                    await process.wait()
                is_over = True
    finally:
        if not is_over:
            await _kill(process)


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
