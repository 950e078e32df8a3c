"""Subprocesses: what they said is kept, and nothing that they started outlives a failure."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from berth.aio.command import CommandFailed, CommandMissing, CommandTimedOut, run


def test_what_a_command_says_is_returned() -> None:
    result = asyncio.run(run(["sh", "-c", "echo out; echo err >&2; cat"], deadline=10, stdin=b"given"))
    assert (result.code, result.stdout, result.stderr) == (0, "out\ngiven", "err\n")
    assert result.argv[0] == "sh"


def test_the_locale_is_c_and_arguments_reach_the_program_as_they_are() -> None:
    script = 'printf "%s|" "$LC_ALL" "$EXTRA" "$@"'
    argv = ["sh", "-c", script, "sh", "a b", "$HOME", "*"]
    result = asyncio.run(run(argv, deadline=10, env={"EXTRA": "yes", "LC_ALL": "de_DE.UTF-8"}))
    assert result.stdout == "C|yes|a b|$HOME|*|"


def test_bytes_that_are_no_text_are_escaped() -> None:
    result = asyncio.run(run(["printf", r"caf\351"], deadline=10))
    assert result.stdout == r"caf\xe9"


def test_a_code_that_is_not_accepted_is_an_error_with_all_facts() -> None:
    with pytest.raises(CommandFailed) as caught:
        asyncio.run(run(["sh", "-c", "echo partly; echo no such export >&2; exit 3"], deadline=10))
    error = caught.value
    assert (error.code, error.stdout, error.stderr) == (3, "partly\n", "no such export\n")
    assert str(error).endswith("failed with code 3: no such export")
    assert asyncio.run(run(["sh", "-c", "exit 3"], deadline=10, accept=(0, 3))).code == 3


def test_a_program_that_is_not_installed_says_so() -> None:
    with pytest.raises(CommandMissing, match="`no-such-program -x` could not be started: No such file or directory"):
        asyncio.run(run(["no-such-program", "-x"], deadline=10))


def test_a_program_that_reads_nothing_does_not_block_a_large_input() -> None:
    assert asyncio.run(run(["true"], deadline=10, stdin=b"x" * 5_000_000)).code == 0


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def _ends(pid: int) -> bool:
    """A process that was killed is gone a moment later."""
    deadline = time.monotonic() + 10
    while _is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not _is_running(pid)


def _pid_in(file: Path) -> int | None:
    return int(file.read_text()) if file.exists() and file.read_text().strip() else None


async def _wait_for_pid(file: Path) -> int:
    async with asyncio.timeout(10):
        while (pid := _pid_in(file)) is None:  # noqa: ASYNC110 - another program writes it
            await asyncio.sleep(0.01)
    return pid


def test_at_the_deadline_the_whole_process_group_is_killed(tmp_path: Path) -> None:
    async def main() -> int:
        script = f"sleep 300 & echo $! > {tmp_path}/child; echo so far; wait"
        with pytest.raises(CommandTimedOut, match="was killed after 1 s") as caught:
            await run(["sh", "-c", script], deadline=1)
        assert caught.value.stdout == "so far\n"
        return await _wait_for_pid(tmp_path / "child")

    begin = time.monotonic()
    child = asyncio.run(main())
    assert time.monotonic() - begin < 10
    assert _ends(child)


def test_a_cancelled_caller_leaves_nothing_running(tmp_path: Path) -> None:
    async def main() -> int:
        script = f"sleep 300 & echo $! > {tmp_path}/child; wait"
        task = asyncio.create_task(run(["sh", "-c", script], deadline=300))
        child = await _wait_for_pid(tmp_path / "child")
        assert _is_running(child)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return child

    assert _ends(asyncio.run(main()))


GRACEFUL = (
    "trap 'echo ending; sleep 0.2; echo $1 > $0/ended; exit 0' INT; echo $$ > $0/pid; while :; do sleep 0.05; done"
)
"""Ends in good order when it is asked to; `sleep` is not asked, and would end at once."""
STUBBORN = "trap 'echo $$ > $0/asked' INT; sleep 300 & echo $! > $0/pid; while :; do wait; done"


def test_a_program_with_grace_ends_in_good_order(tmp_path: Path) -> None:
    async def main() -> None:
        argv = ["bash", "-c", GRACEFUL, os.fspath(tmp_path), "well"]
        task = asyncio.create_task(run(argv, deadline=300, grace=60))
        await _wait_for_pid(tmp_path / "pid")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert (tmp_path / "ended").read_text() == "well\n"


def test_grace_counts_at_the_deadline_too(tmp_path: Path) -> None:
    argv = ["bash", "-c", GRACEFUL, os.fspath(tmp_path), "late"]
    with pytest.raises(CommandTimedOut, match="was ended after 1 s") as caught:
        asyncio.run(run(argv, deadline=1, grace=60))
    assert caught.value.stdout == "ending\n"
    assert (tmp_path / "ended").read_text() == "late\n"


def test_a_program_hears_what_its_parent_ignores(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in the background, and under nohup
    try:
        with pytest.raises(CommandTimedOut):
            asyncio.run(run(["bash", "-c", GRACEFUL, os.fspath(tmp_path), "heard"], deadline=1, grace=60))
    finally:
        signal.signal(signal.SIGINT, before)
    assert (tmp_path / "ended").read_text() == "heard\n"


@pytest.mark.parametrize("again", [True, False])
def test_grace_ends_by_itself_and_at_the_second_cancellation(tmp_path: Path, again: bool) -> None:
    async def main() -> int:
        argv = ["bash", "-c", STUBBORN, os.fspath(tmp_path)]
        task = asyncio.create_task(run(argv, deadline=300, grace=300 if again else 0.1))
        child = await _wait_for_pid(tmp_path / "pid")
        task.cancel()
        if again:
            await _wait_for_pid(tmp_path / "asked")
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return child

    begin = time.monotonic()
    assert _ends(asyncio.run(main()))
    assert time.monotonic() - begin < 30


def test_a_child_that_keeps_the_output_open_does_not_outlive_the_deadline(tmp_path: Path) -> None:
    async def main() -> int:
        with pytest.raises(CommandTimedOut):
            await run(["sh", "-c", f"sleep 300 & echo $! > {tmp_path}/child"], deadline=1)
        return await _wait_for_pid(tmp_path / "child")

    assert _ends(asyncio.run(main()))


def test_the_program_runs_where_it_is_told(tmp_path: Path) -> None:
    assert asyncio.run(run(["pwd", "-P"], deadline=10, cwd=os.fspath(tmp_path))).stdout.strip() == str(
        tmp_path.resolve()
    )
