"""What others on the machine are busy with while the bench measures: it makes absolute rates worth nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")
MUCH = 0.1
"""The share of all cores from which on it is told."""


@dataclass(frozen=True, slots=True)
class Moment:
    """How much CPU time had been used, in seconds, and when."""

    at: float
    everybody: float
    own: float

    def others_since(self, before: Moment, cores: int) -> float:
        """The share of all cores that was used by others since before: 1 is all there is."""
        others = (self.everybody - before.everybody) - (self.own - before.own)
        return max(0.0, others / max(1e-9, (self.at - before.at) * cores))


def now(cores: Collection[int], proc: Path = Path("/proc")) -> Moment:
    """This moment: everybody's CPU time on some cores, and that of this process and all that it started."""
    own = own_ticks(_processes(proc), os.getpid())
    return Moment(time.monotonic(), busy_ticks((proc / "stat").read_text(), cores) * _TICK, own * _TICK)


def busy_ticks(stat: str, cores: Collection[int]) -> int:
    """How long some cores were not idle, from the text of /proc/stat."""
    total = 0
    for line in stat.splitlines():
        name, *numbers = line.split()
        if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in cores:
            user, nice, system, _, _, irq, softirq, steal = map(int, numbers[:8])  # idle and waiting for disks left out
            total += user + nice + system + irq + softirq + steal
    return total


def own_ticks(processes: Mapping[int, tuple[int, int]], top: int) -> int:
    """CPU time of a process and everything below it. processes: parent and time by number."""
    children: dict[int, list[int]] = {}
    for number, (parent, _) in processes.items():
        children.setdefault(parent, []).append(number)
    total, waiting = 0, [top]
    while waiting:
        number = waiting.pop()
        total += processes[number][1] if number in processes else 0
        waiting += children.get(number, ())
    return total


def _processes(proc: Path) -> dict[int, tuple[int, int]]:
    """Parent and CPU time, that of ended children included, of every process by its number."""
    found = {}
    for directory in proc.iterdir():
        if directory.name.isdigit():
            try:
                fields = (directory / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has just ended; its time is with its parent
            found[int(directory.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    return found


class Watch:
    """Follows it from part to part."""

    def __init__(self, say: Callable[[str], None], cores: Collection[int]) -> None:
        self.shares: dict[str, float] = {}
        """What others used, by part."""
        self._say = say
        self._cores = cores
        self._last = now(cores)

    def lap(self, part: str) -> None:
        """The part that ran since the last lap has ended. Says so if others were busy."""
        moment = now(self._cores)
        share = moment.others_since(self._last, len(self._cores))
        self._last = moment
        self.shares[part] = max(share, self.shares.get(part, 0.0))
        if share >= MUCH:
            self._say(f"    BUSY: others used {share:.0%} of the cores ({part})")

    @property
    def worst(self) -> float:
        """The largest share of any part."""
        return max(self.shares.values(), default=0.0)
