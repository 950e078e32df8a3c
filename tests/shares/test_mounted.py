"""A mounted share whose mount hangs, goes away, or was never there."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from berth.host.mountinfo import is_mount_point
from berth.shares.mounted.share import THREADS, MountedShare
from berth.volumes.errors import Unavailable
from berth.volumes.share import ShareAddress
from tests.shares.hanging import HangingMount
from tests.shares.watch import threads, watched_loop

ADDRESS = ShareAddress("nfs.example", "/export")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[HangingMount]:
    with HangingMount(tmp_path) as mount:
        yield mount


async def test_a_hung_mount_costs_each_call_a_deadline_and_the_loop_nothing(
    hanging: HangingMount, tmp_path: Path
) -> None:
    async with aclosing(MountedShare(str(tmp_path), ADDRESS, deadline=0.5, requires_mount=False)) as share:
        before = threads("mounted share")
        async with watched_loop() as lag:
            began = time.monotonic()
            outcomes = await asyncio.gather(*(share.stat("") for _ in range(20)), return_exceptions=True)
            took = time.monotonic() - began
        assert all(isinstance(outcome, Unavailable) and outcome.stage == "timeout" for outcome in outcomes)
        assert took < 5  # one after another they would take 10 s, and a call that blocked the loop would take for ever
        assert lag.longest < 5
        assert len(threads("mounted share") - before) <= THREADS
        hanging.end()


async def test_while_it_hangs_calls_fail_at_once_and_threads_stay_few(hanging: HangingMount, tmp_path: Path) -> None:
    async with aclosing(MountedShare(str(tmp_path), ADDRESS, deadline=0.2, requires_mount=False)) as share:
        before = threads("mounted share")
        for _ in range(2 * THREADS):
            with pytest.raises(Unavailable, match=str(tmp_path)):
                await share.make_directory("d", mode=0o755)
        assert len(threads("mounted share") - before) == THREADS
        began = time.monotonic()
        for _ in range(50):
            with pytest.raises(Unavailable) as caught:
                await share.stat("")
            assert caught.value.stage == "timeout"
        assert time.monotonic() - began < 5  # each after its deadline, they would take 10 s
        hanging.end()


async def test_when_it_comes_back_it_serves_again(hanging: HangingMount, tmp_path: Path) -> None:
    async with aclosing(MountedShare(str(tmp_path), ADDRESS, deadline=0.1, requires_mount=False)) as share:
        for _ in range(2 * THREADS):
            with pytest.raises(Unavailable):
                await share.stat("")
        hanging.end()
        async with asyncio.timeout(10):
            while True:
                try:
                    await share.make_directory("d", mode=0o755)
                    break
                except Unavailable:
                    await asyncio.sleep(0.01)
        assert await asyncio.gather(*(share.make_directory(f"d{number}", mode=0o755) for number in range(32)))


def test_a_hung_mount_does_not_keep_the_process_from_ending(hanging: HangingMount, tmp_path: Path) -> None:
    code = f"""if True:
        import asyncio
        from berth.shares.mounted.share import MountedShare
        from berth.volumes.share import ShareAddress
        async def main():
            share = MountedShare({str(tmp_path)!r}, ShareAddress("x", "/x"), deadline=0.2, requires_mount=False)
            try:
                await share.stat("")
            except Exception as error:
                print(type(error).__name__)
            await share.aclose()
        asyncio.run(main())
    """
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False, env=env
    )
    assert (answer.stdout.strip(), answer.returncode) == ("Unavailable", 0), answer.stderr
    hanging.end()


async def test_nothing_is_made_on_the_disk_under_a_mount_that_is_not_there(tmp_path: Path) -> None:
    async with aclosing(MountedShare(str(tmp_path), ADDRESS)) as share:
        with pytest.raises(Unavailable, match="nothing is mounted") as caught:
            await share.make_directory("d", mode=0o755)
    assert (caught.value.stage, caught.value.share) == ("mount", "nfs.example:/export")
    assert os.listdir(tmp_path) == []


async def test_a_directory_that_is_not_there_is_no_mount(tmp_path: Path) -> None:
    async with aclosing(MountedShare(str(tmp_path / "gone"), ADDRESS, requires_mount=False)) as share:
        with pytest.raises(Unavailable, match="no directory here") as caught:
            await share.stat("")
    assert caught.value.stage == "mount"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """Something really mounted, with room for 64 KiB, at a directory with an awkward name."""
    directory = tmp_path / "with blank\tand\\backslash"
    directory.mkdir()
    mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", directory)
    yield directory
    subprocess.run(["umount", "--quiet", directory], check=False)
    assert list(directory.iterdir()) == []


def mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True)


def unmount(directory: Path) -> None:
    subprocess.run(["umount", directory], check=True)


async def test_a_real_mount_is_worked_on_until_it_goes(small: Path) -> None:
    assert is_mount_point(str(small))
    assert is_mount_point(f"{small}/")
    async with aclosing(MountedShare(str(small), ADDRESS)) as share:
        assert (await share.make_directory("d", mode=0o755)).is_new
        unmount(small)
        with pytest.raises(Unavailable, match="nothing is mounted"):
            await share.make_directory("d", mode=0o755)


async def test_a_full_and_a_read_only_file_system_are_told_apart(small: Path) -> None:
    async with aclosing(MountedShare(str(small), ADDRESS)) as share:
        with pytest.raises(Unavailable, match="no space") as full:
            await share.write_file("file", bytes(200_000))
        assert (full.value.stage, full.value.status) == ("io", "ENOSPC")
        assert await share.list("") == []
        mount("-o", "remount,ro", small)
        with pytest.raises(Unavailable, match="read-only") as fixed:
            await share.make_directory("d", mode=0o755)
        assert (fixed.value.stage, fixed.value.status) == ("permission", "EROFS")
