"""What Berth, and everybody else, spends on some work: CPU time by process, requests and NFS calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks import calibration
from benchmarks.controller import Asked, ControllerProcess
from benchmarks.results import Results
from benchmarks.rig import Rig


@dataclass(frozen=True, slots=True)
class Spent:
    """Per claim."""

    requests: Mapping[str, float]
    """The controller's requests to the API server, by `verb resource`."""
    nfs_calls: float
    cpu_ms: Mapping[str, float]
    """CPU time in standard ms by process; the controller is `berth`. Who used next to nothing is left out."""

    @property
    def all_cpu_ms(self) -> float:
        """Everybody's."""
        return sum(self.cpu_ms.values())

    def add_to(self, results: Results, chapter: str) -> None:
        """One sample of each of a chapter's figures."""
        results.add_sum(f"{chapter}.requests", self.requests)
        results.add_sum(f"{chapter}.cpu_all_ms", self.cpu_ms)
        results.add({f"{chapter}.cpu_ms": self.cpu_ms["berth"], f"{chapter}.nfs_calls": self.nfs_calls})


class Account:
    """Opened before the work begins, closed when its last request is through."""

    def __init__(self, rig: Rig, controller: ControllerProcess, asked: Asked, work_ms: float) -> None:
        self._rig = rig
        self._controller = controller
        self._asked = asked
        self._work_ms = work_ms
        self._cpu = rig.cpu_seconds(controller)

    @classmethod
    async def open(cls, rig: Rig, controller: ControllerProcess) -> Account:
        """From now on."""
        return cls(rig, controller, await controller.asked(), calibration.measure())

    async def close(self, count: int) -> Spent:
        """What was spent on each of count claims."""
        asked = await self._controller.asked()
        used = {name: now - self._cpu.get(name, 0.0) for name, now in self._rig.cpu_seconds(self._controller).items()}
        # The machine may have become slower or faster meanwhile, with what others do.
        work_ms = (self._work_ms + calibration.measure()) / 2
        made = {name: number - self._asked.requests.get(name, 0) for name, number in asked.requests.items()}
        cpu = {name: calibration.standard(seconds / count * 1000, work_ms) for name, seconds in used.items()}
        return Spent(
            requests={name: number / count for name, number in made.items() if number},
            nfs_calls=(asked.nfs_calls - self._asked.nfs_calls) / count,
            cpu_ms={name: ms for name, ms in cpu.items() if ms >= 0.05 or name == "berth"},
        )
