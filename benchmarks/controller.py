"""One controller process, measured from outside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks import metrics, procfs
from benchmarks.errors import BenchFailed
from devcluster.process import Process

_START_DEADLINE = 120.0
_POLL = 0.02
"""Seconds between two looks whether it leads: the resolution of the time to readiness."""
_SETTLE_DEADLINE = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What a controller has asked of others so far."""

    requests: Mapping[str, int]
    """Of the API server, by `verb resource`; what follows it (list, watch) and the lease's are left out."""
    nfs_calls: int


class ControllerProcess:
    """A `berth run` that was started at `began` (time.monotonic) and serves /readyz and /metrics at url."""

    def __init__(self, process: Process, url: str, began: float) -> None:
        self.process = process
        self.ready_seconds = 0.0
        """From its start until it was ready and led."""
        self._url = url
        self.began = began

    async def wait_leading(self) -> None:
        """Returns once it is ready and leads."""
        while not await asyncio.to_thread(self._leads):
            if not self.process.is_running or time.monotonic() - self.began > _START_DEADLINE:
                raise self.failure("does not lead")
            await asyncio.sleep(_POLL)
        self.ready_seconds = time.monotonic() - self.began

    async def asked(self) -> Asked:
        """What it asked so far, once it has asked nothing for a second."""
        deadline = time.monotonic() + _SETTLE_DEADLINE
        before: Asked | None = None
        while (now := _asked(await self._metrics())) != before:
            if time.monotonic() > deadline:
                raise self.failure("goes on making requests although there is nothing to do")
            before = now
            await asyncio.sleep(1)
        return now

    async def settle(self) -> None:
        """Returns once it uses next to no CPU: less than 2 % of a core for two seconds."""
        deadline = time.monotonic() + _SETTLE_DEADLINE
        while await self.cpu_share(2) > 0.02:
            if time.monotonic() > deadline:
                raise self.failure("does not come to rest")

    async def cpu_share(self, seconds: float) -> float:
        """The share of one core that it uses during so many seconds from now on."""
        begin, used = time.monotonic(), self.cpu_seconds
        await asyncio.sleep(seconds)
        return (self.cpu_seconds - used) / (time.monotonic() - begin)

    @property
    def cpu_seconds(self) -> float:
        """CPU time so far."""
        return procfs.cpu_seconds(self.process.pid)

    @property
    def resident_mb(self) -> float:
        return procfs.resident_mb(self.process.pid)

    @property
    def peak_resident_mb(self) -> float:
        return procfs.peak_resident_mb(self.process.pid)

    def failure(self, why: str) -> BenchFailed:
        """The error for something that it did not do, with the end of its log."""
        return BenchFailed(f"the controller {why}; the end of {self.process.log}:\n{self.process.log_tail()}")

    def _leads(self) -> bool:
        if metrics.get(f"{self._url}/readyz") is None:
            return False
        text = metrics.get(f"{self._url}/metrics")
        return text is not None and metrics.is_leading(text)

    async def _metrics(self) -> str:
        text = await asyncio.to_thread(metrics.get, f"{self._url}/metrics")
        if text is None:
            raise self.failure("does not answer")
        return text


def _asked(text: str) -> Asked:
    return Asked(metrics.requests_made(text), metrics.nfs_calls(text))
