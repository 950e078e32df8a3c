"""How fast this machine runs Python: CPU time for a fixed piece of work, so that "2.5 ms of CPU" means one thing.

The work is of the kind that a controller does: objects to JSON and back, numbers to bytes and back, small calls, small
objects, more of them than the first caches hold. It is CPU time that is measured; others on the machine matter as far
as they share its caches, to this work as to the controller.
"""

from __future__ import annotations

import json
import struct
import time
from dataclasses import dataclass

STANDARD_MS = 10.0
"""CPU time of the work on the core that the targets are told for, one of a shared machine on which a claim took 5.0 ms
and a deletion 7.9 before they were set. Python 3.11 on a quiet core of an AMD EPYC at 2.6 GHz takes 5.9."""
_ROUNDS = 15
_OBJECTS = 215
_TEXT = json.dumps(
    {
        "metadata": {"name": "pvc-0", "labels": {f"key-{number}": "v" * 20 for number in range(12)}, "generation": 3},
        "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"], "mountOptions": ["nfsvers=4.1"] * 4},
    }
)
_LAYOUT = struct.Struct(">IIQQI12s")


@dataclass(frozen=True, slots=True)
class _Small:
    name: str
    number: int


def work() -> int:
    """The piece of work. Its result is always the same."""
    kept = {}
    for number in range(_OBJECTS):
        read = json.loads(_TEXT.replace("pvc-0", f"pvc-{number}"))
        kept[read["metadata"]["name"]] = read, [_Small(f"{number}-{each}", each) for each in range(20)]
    total = 0
    for name in sorted(kept):
        read, small = kept[name]
        packed = b"".join(
            _LAYOUT.pack(at, each.number, each.number << 32, 7, 8, b"state") for at, each in enumerate(small)
        )
        total += sum(_LAYOUT.unpack_from(packed, at)[2] >> 32 for at in range(0, len(packed), _LAYOUT.size))
        total += len(json.dumps(read)) + len({each.name: each for each in small})
    return total


def standard(cpu_ms: float, work_ms: float) -> float:
    """CPU time that was measured where the work takes work_ms, as it would have been where the targets were set."""
    return cpu_ms * STANDARD_MS / work_ms


def measure() -> float:
    """CPU time of the work in ms: the median of some rounds."""
    taken = []
    for _ in range(_ROUNDS):
        begin = time.thread_time()
        work()
        taken.append(time.thread_time() - begin)
    return sorted(taken)[_ROUNDS // 2] * 1000
