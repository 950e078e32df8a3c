"""Starts Berth in its image: takes up the right to call from reserved ports, where the pod was given it.

The Python in the image may have NET_BIND_SERVICE, and has it not in effect: see Dockerfile for why. Without it Berth
calls from ordinary ports.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

from berth.cli.main import main

NET_BIND_SERVICE = 1 << 10
_VERSION = 0x20080522
_DUMPABLE = 4


def take_up() -> None:
    """Puts NET_BIND_SERVICE into effect for this process, if it is permitted; else nothing happens."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    permitted, inheritable = int(status["CapPrm"], 16), int(status["CapInh"], 16)
    effective = int(status["CapEff"], 16)
    if not permitted & NET_BIND_SERVICE & ~effective:
        return
    import ctypes  # a megabyte, which most pods can do without

    low = (effective | NET_BIND_SERVICE, permitted, inheritable)
    sets = struct.pack("<6I", *(part & 0xFFFFFFFF for part in low), *(part >> 32 for part in low))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(struct.pack("<Ii", _VERSION, 0), sets):
        print(f"reserved ports can't be used: capset failed with error {ctypes.get_errno()}", file=sys.stderr)
    # Who starts with a capability of a file may not look into its own /proc/self/fd, which metrics count.
    libc.prctl(_DUMPABLE, 1, 0, 0, 0)


if __name__ == "__main__":
    take_up()
    sys.argv[0] = "berth"
    sys.exit(main())
