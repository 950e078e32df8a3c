"""How fast this machine runs Python: CPU time for a fixed piece of work, so that "2.5 ms of CPU" means one thing.

The work is of the kind that a controller does: objects to JSON and back, numbers to bytes and back, small calls, small
objects. Everything is measured in CPU time, so others on the machine matter only as far as they share its caches.
"""

from __future__ import annotations

import json
import struct
import time
from dataclasses import dataclass

STANDARD_MS = 10.0
"""CPU time of the work on the core that the targets are told for, one of a shared machine on which a claim took 5.0 ms
and a deletion 7.9 before they were set. Python 3.11 on a quiet core of an AMD EPYC at 2.6 GHz takes 5.9."""
_ROUNDS = 9
_REPEATS = 194
_OBJECT = {
    "metadata": {"name": "pvc-0", "labels": {f"key-{number}": "v" * 20 for number in range(12)}, "generation": 3},
    "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"], "mountOptions": ["nfsvers=4.1"] * 4},
}
_LAYOUT = struct.Struct(">IIQQI12s")


@dataclass(frozen=True, slots=True)
class _Small:
    name: str
    number: int


def work() -> int:
    """The piece of work. Its result is always the same."""
    total = 0
    for number in range(_REPEATS):
        read = json.loads(json.dumps(_OBJECT))
        packed = b"".join(_LAYOUT.pack(number, each, each << 32, 7, 8, b"state") for each in range(20))
        total += sum(_LAYOUT.unpack_from(packed, at)[2] >> 32 for at in range(0, len(packed), _LAYOUT.size))
        kept = {each.name: each for each in (_Small(f"name-{item}", item) for item in range(40))}
        total += sum(each.number for each in sorted(kept.values(), key=_number)) + len(read["metadata"]["labels"])
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


def _number(each: _Small) -> int:
    return each.number
