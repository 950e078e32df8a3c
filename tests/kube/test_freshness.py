"""A lease's age is judged by three clocks, none of which is believed alone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from berth.kube.freshness import Freshness, Moment, read_clocks

START = Moment(monotonic=1000.0, boot=5000.0, wall=1_800_000_000.0)


class Clocks:
    """Three clocks that a test sets."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> Moment:
        return self.moment

    def go(self, *, monotonic: float = 0.0, boot: float = 0.0, wall: float = 0.0) -> None:
        now = self.moment
        self.moment = Moment(now.monotonic + monotonic, now.boot + boot, now.wall + wall)

    def pass_(self, seconds: float) -> None:
        self.go(monotonic=seconds, boot=seconds, wall=seconds)


def renewed(lasts: float = 10.0) -> tuple[Freshness, Clocks]:
    clocks = Clocks()
    freshness = Freshness(lasts, clocks)
    freshness.renewed(freshness.now())
    return freshness, clocks


def test_a_lease_that_was_never_renewed_is_doubtful() -> None:
    assert Freshness(10.0, Clocks()).doubt() == "the lease was never renewed"


def test_a_lease_is_fresh_until_its_time_is_over() -> None:
    freshness, clocks = renewed()
    clocks.pass_(9.9)
    assert freshness.doubt() == ""
    assert freshness.left == pytest.approx(0.1)
    clocks.pass_(0.2)
    assert freshness.doubt() == "the lease was last renewed 10.1 s ago and may be another's by now"
    freshness.renewed(freshness.now())
    assert freshness.doubt() == ""


@pytest.mark.parametrize(
    ("passed", "why"),
    [
        pytest.param({"monotonic": 30, "boot": 30, "wall": 30}, "30.0 s ago", id="stopped by a signal"),
        pytest.param({"monotonic": 1, "boot": 60, "wall": 60}, "60.0 s ago", id="the machine was suspended"),
        pytest.param(
            {"monotonic": 1, "boot": 1, "wall": 60}, "jumped by +59.0 s", id="a paused machine, clock put right"
        ),
        pytest.param({"monotonic": 1, "boot": 1, "wall": -60}, "jumped by -61.0 s", id="the clock was put back"),
        pytest.param({"monotonic": 1, "boot": 1, "wall": 2.5}, "jumped by +1.5 s", id="a small jump"),
        pytest.param({"monotonic": 30, "boot": 0, "wall": 0}, "30.0 s ago", id="a boot-time clock that stands still"),
        pytest.param(
            {"monotonic": 1, "boot": 60, "wall": 0}, "60.0 s ago", id="suspended, and the clock not put right"
        ),
    ],
)
def test_whatever_clock_says_so_the_lease_is_doubtful_until_it_is_renewed(passed: dict[str, float], why: str) -> None:
    freshness, clocks = renewed()
    clocks.go(**passed)
    assert why in freshness.doubt()
    freshness.renewed(freshness.now())
    assert freshness.doubt() == ""


def test_a_clock_that_is_corrected_slowly_disturbs_nobody() -> None:
    freshness, clocks = renewed()
    clocks.go(monotonic=5, boot=5, wall=5.4)  # more than any daemon slews within 5 s
    assert freshness.doubt() == ""


def test_a_renewal_counts_from_when_it_was_sent() -> None:
    freshness, clocks = renewed()
    asked = freshness.now()
    assert freshness.is_since(asked)
    clocks.pass_(0.1)
    assert not freshness.is_since(freshness.now())


def test_the_clocks_are_the_machines() -> None:
    one, other = read_clocks(), read_clocks()
    assert one.monotonic <= other.monotonic
    assert one.boot <= other.boot
    assert other.boot >= other.monotonic - 0.1  # which it is ahead of by the time spent suspended


def test_a_suspended_machine_is_noticed_by_its_boot_time_clock() -> None:
    """A time namespace moves this process's boot-time clock, as suspending the machine would; no other clock moves."""
    program = (
        "from berth.kube.freshness import *; from dataclasses import replace\n"
        "import sys, time\n"
        "now = read_clocks(); lease = Freshness(10.0)\n"
        "lease.renewed(replace(now, boot=float(sys.argv[1])))\n"
        "print(lease.doubt())\n"
    )
    before = replace(read_clocks())
    command = ["unshare", "--time", "--boottime", "3600", "--fork", sys.executable, "-c", program, str(before.boot)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        pytest.skip("no unshare here")
    if done.returncode and "unshare" in done.stderr:
        pytest.skip(f"no time namespaces here: {done.stderr.strip()}")
    assert done.stderr == ""
    assert "the lease was last renewed 36" in done.stdout
