"""A process of the dev cluster can be hurt in every way, and never outlives us by accident."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from devcluster.errors import ProcessFailed, ProgramMissing
from devcluster.identity import Identity, identify
from devcluster.process import Process
from tests.running import running

ROOT = Path(__file__).parents[2]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log" / "program.log"


def test_a_program_that_ends_early_is_reported_with_the_end_of_its_log(log: Path) -> None:
    process = Process("teapot", ["sh", "-c", "echo no luck today; exit 3"], log=log, ready=lambda: False)
    with pytest.raises(ProcessFailed, match=r"(?s)teapot ended with 3 before it was ready.*no luck today") as caught:
        process.start()
    assert str(log) in str(caught.value)


def test_a_program_that_never_becomes_ready_is_reported_at_its_deadline(log: Path) -> None:
    process = Process("sloth", ["sleep", "60"], log=log, ready=lambda: False, deadline=0.2)
    with pytest.raises(ProcessFailed, match=r"sloth was not ready after 0 s"):
        process.start()
    process.stop()
    assert not process.is_running


def test_only_the_log_of_the_last_start_is_told(log: Path) -> None:
    process = Process("echo", ["sh", "-c", "date +%N; exit 1"], log=log, ready=lambda: False)
    tails = []
    for _ in range(2):
        with pytest.raises(ProcessFailed) as caught:
            process.start()
        tails.append(caught.value.tail)
    assert [len(tail.splitlines()) for tail in tails] == [1, 1]
    assert tails[0] != tails[1]


def test_a_missing_program_is_named(log: Path) -> None:
    with pytest.raises(ProgramMissing, match=r"can't be started: there is no no-such-program here"):
        Process("ghost", ["no-such-program"], log=log, detached=True).start()


def test_a_paused_program_is_stopped_politely_all_the_same(log: Path) -> None:
    script = "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    process = Process("napper", ["sh", "-c", script], log=log, ready=lambda: "ready" in log.read_text())
    process.start()
    process.pause()
    process.stop()
    assert process.exit_code == 0
    assert "bye" in log.read_text()


def test_a_program_that_ignores_sigterm_is_killed_after_the_grace(log: Path) -> None:
    script = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
    process = Process("mule", ["sh", "-c", script], log=log, ready=lambda: "ready" in log.read_text())
    process.start()
    process.stop(grace=0.2)
    assert process.exit_code == -signal.SIGKILL


def test_a_process_outlives_the_thread_that_started_it(log: Path) -> None:
    process = Process("survivor", ["sleep", "60"], log=log)
    thread = threading.Thread(target=process.start)
    thread.start()
    thread.join()
    # The kernel sends the death signal when the thread is gone, which join() does not wait for; a second thread that
    # comes and goes gives it every chance.
    for _ in range(20):
        other = threading.Thread(target=lambda: None)
        other.start()
        other.join()
    assert process.identity is not None
    assert not process.identity.wait_gone(0.3)
    process.stop()


def test_a_process_dies_with_us_however_we_die(tmp_path: Path) -> None:
    code = """if True:
        import signal, sys
        from pathlib import Path
        from devcluster.process import Process
        process = Process("child", ["sleep", "60"], log=Path(sys.argv[1]))
        process.start()
        print(process.pid, flush=True)
        signal.pause()
    """
    argv = [sys.executable, "-c", code, str(tmp_path / "log")]
    with running(argv, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout is not None
        child = identify(int(parent.stdout.readline()))
        parent.kill()
    assert child is not None
    assert child.wait_gone(60)


def test_a_number_that_another_process_has_now_is_never_signalled() -> None:
    with running(["sleep", "60"]) as stranger:
        known = identify(stranger.pid)
        assert known is not None
        Identity(stranger.pid, known.started - 1).end(grace=0.1)
        assert stranger.poll() is None
        known.end(grace=5)
        assert stranger.wait() == -signal.SIGTERM
