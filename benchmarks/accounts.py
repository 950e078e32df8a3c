"""What a controller, and everybody else on the machine, spends on some work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.controller import ControllerProcess
from benchmarks.rig import Rig


@dataclass(frozen=True, slots=True)
class Spent:
    """Per claim."""

    requests: Mapping[str, float]
    """The controller's requests to the API server, by `verb resource`."""
    cpu_ms: Mapping[str, float]
    """CPU time in ms by process, those that used next to none left out."""
    controller_cpu_ms: float

    def __str__(self) -> str:
        return f"requests {_told(self.requests)}; CPU ms {_told(self.cpu_ms)}"


class Account:
    """Opened before the work begins, closed when its last request is through."""

    def __init__(self, rig: Rig, controller: ControllerProcess, requests: Mapping[str, int]) -> None:
        self._rig = rig
        self._controller = controller
        self._requests = requests
        self._cpu = rig.cpu_seconds()

    @classmethod
    async def open(cls, rig: Rig, controller: ControllerProcess) -> Account:
        """From now on."""
        return cls(rig, controller, await controller.requests())

    async def close(self, count: int) -> Spent:
        """What was spent on each of count claims."""
        made = {
            name: number - self._requests.get(name, 0) for name, number in (await self._controller.requests()).items()
        }
        used = {name: (now - self._cpu.get(name, 0.0)) / count * 1000 for name, now in self._rig.cpu_seconds().items()}
        return Spent(
            requests={name: number / count for name, number in made.items() if number},
            cpu_ms={name: ms for name, ms in used.items() if ms >= 0.05},
            controller_cpu_ms=used[self._controller.process.name],
        )


def _told(numbers: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {number:.2f}" for name, number in sorted(numbers.items()))
