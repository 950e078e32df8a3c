"""`python -m benchmarks.pulse OUTPUT PROGRAM ...`: a Python program whose event loops are watched for long turns.

A timer that is always due soon runs on every loop. The CPU time that the loop's thread used between two of its beats is
what the turns in between took: what the machine does for others meanwhile is not counted. OUTPUT gets one line of JSON
each time the loop comes to rest, with the longest turn so far and when it was, and the longest time between two beats.
"""

from __future__ import annotations

import asyncio
import gc
import json
import runpy
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

_BEAT = 0.001
"""Seconds between two beats; a turn seems longer by up to as much."""
_WRITTEN = 0.5
"""Seconds between two writes."""


class _Pulse:
    def __init__(self, loop: asyncio.AbstractEventLoop, output: Path) -> None:
        self._loop = loop
        self._output = output
        self._began = self._beat_at = self._written = time.monotonic()
        self._used = time.thread_time()
        self._turns: list[tuple[float, float, float, float]] = []
        """(CPU ms, wall ms, ms of the garbage collector, seconds since the start) of each long turn."""
        self._collecting = self._collected = 0.0
        gc.callbacks.append(self._on_collection)
        loop.call_soon(self._beat)

    def _on_collection(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._collecting = time.thread_time()
        else:
            self._collected += time.thread_time() - self._collecting

    def _beat(self) -> None:
        now, used = time.monotonic(), time.thread_time()
        cpu, wall = (used - self._used) * 1000, (now - self._beat_at) * 1000
        if cpu > 5:
            self._turns.append(
                (round(cpu, 1), round(wall, 1), round(self._collected * 1000, 1), round(now - self._began, 2))
            )
        self._collected = 0.0
        if now - self._written > _WRITTEN:
            self._turns = sorted(self._turns, reverse=True)[:200]
            self._output.write_text(json.dumps(self._turns))
            self._written = now
        self._beat_at, self._used = time.monotonic(), time.thread_time()
        self._loop.call_later(_BEAT, self._beat)


def main() -> None:
    """Runs the program as `python PROGRAM ...` would."""
    _, output, program, *arguments = sys.argv
    sys.argv = [program, *arguments]
    make = uvloop.new_event_loop

    def watched() -> Any:
        loop = make()
        loop.call_soon(_Pulse, loop, Path(output))
        return loop

    uvloop.new_event_loop = watched
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
