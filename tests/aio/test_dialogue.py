"""Programs that are spoken with while they run."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from berth.aio.command import CommandMissing
from berth.aio.dialogue import started


async def test_lines_come_as_they_are_said_and_answers_go_in() -> None:
    async with started(["sh", "-c", 'echo one; read word; echo "got $word"; echo oh >&2; exit 7']) as program:
        assert await program.line() == b"one\n"
        assert await program.say(b"two\n")
        assert await program.line() == b"got two\n"
        assert await program.line() == b""
        assert await program.end() == 7
        assert program.complaints == "oh\n"


async def test_who_does_not_listen_any_more_is_told_nothing() -> None:
    async with started(["true"]) as program:
        await program.end()
        while await program.say(b"x" * 65536):
            pass
        assert not await program.say(b"x")


def wait_for_end(pid: int) -> None:
    """Waits until it does not run any more; one that nobody has waited for yet does not."""
    with suppress(OSError):
        while Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
            time.sleep(0.01)


async def test_nothing_of_it_outlives_the_block() -> None:
    script = "trap '' INT TERM HUP; sh -c 'echo $$; exec sleep 1000' & wait"
    async with started(["sh", "-c", script]) as program:
        child = int(await program.line())
    await asyncio.to_thread(wait_for_end, child)


async def test_it_has_no_terminal_and_the_plain_locale() -> None:
    code = "import os, sys; print(os.environ['LC_ALL'], os.getsid(0) == os.getpid(), os.environ['X'])"
    async with started([sys.executable, "-c", code], env={"X": "y"}) as program:
        assert await program.line() == b"C True y\n"


async def test_only_the_end_of_long_complaints_is_kept() -> None:
    async with started(["sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x >&2; echo end >&2"]) as program:
        assert await program.end() == 0
        assert program.complaints.endswith("xend\n")
        assert len(program.complaints) <= 16384


async def test_what_is_not_there_is_missing() -> None:
    with pytest.raises(CommandMissing, match="could not be started: No such file"):
        async with started(["/no/such/program"]):
            raise AssertionError("it was started")
