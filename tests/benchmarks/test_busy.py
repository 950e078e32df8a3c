"""What others do is everybody's CPU time without our own, on the cores that we use."""

from __future__ import annotations

import os
import time

import pytest

from benchmarks.busy import Moment, Watch, busy_ticks, now, own_ticks

STAT = """\
cpu  1000 0 1000 5000 100 0 0 0 0 0
cpu0 10 1 20 5000 700 2 3 4 0 0
cpu1 100 0 0 0 0 0 0 0 0 0
cpu10 5000 0 0 0 0 0 0 0 0 0
intr 1 2 3
"""


@pytest.mark.parametrize(("cores", "ticks"), [({0}, 40), ({1}, 100), ({0, 1}, 140)])
def test_idle_and_waiting_for_disks_are_no_work_and_other_cores_do_not_count(cores: set[int], ticks: int) -> None:
    assert busy_ticks(STAT, cores) == ticks


def test_own_is_all_that_we_started() -> None:
    # number: (parent, time)
    processes = {1: (0, 1000), 5: (1, 7), 6: (5, 20), 7: (6, 300), 8: (1, 4000)}
    assert own_ticks(processes, 5) == 327
    assert own_ticks(processes, 9) == 0


def test_the_share_of_others() -> None:
    before, after = Moment(10.0, 100.0, 40.0), Moment(20.0, 115.0, 45.0)
    assert after.others_since(before, 2) == pytest.approx(0.5)
    assert Moment(20.0, 105.0, 46.0).others_since(before, 2) == 0.0  # clocks of different grain


def test_our_own_work_is_not_told_as_that_of_others() -> None:
    cores = os.sched_getaffinity(0)
    before = now(cores)
    until = time.thread_time() + 0.2
    while time.thread_time() < until:
        pass
    after = now(cores)
    assert after.own - before.own >= 0.15
    assert after.everybody - before.everybody >= 0.15


@pytest.mark.parametrize(("others", "is_told"), [(0.05, False), (0.6, True)])
def test_a_busy_machine_is_told(monkeypatch: pytest.MonkeyPatch, others: float, is_told: bool) -> None:
    moments = iter([Moment(0.0, 0.0, 0.0), Moment(10.0, 20.0 * others + 4.0, 4.0)])
    monkeypatch.setattr("benchmarks.busy.now", lambda _: next(moments))
    said: list[str] = []
    watch = Watch(said.append, {0, 1})
    watch.lap("purge")
    assert watch.shares["purge"] == pytest.approx(others)
    assert watch.worst == pytest.approx(others)
    assert any("BUSY: others used 60%" in line for line in said) is is_told
