"""Starts Berth as the command that needs nothing: as whoever calls it, with the host's environment for children."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from berth.cli.main import main

if __name__ == "__main__":
    # Python has set it for itself where no locale was; an older host's programs don't know C.UTF-8, and say so loudly.
    with suppress(OSError):  # as where nobody has mounted /proc
        if b"LC_CTYPE=" not in Path("/proc/self/environ").read_bytes():
            os.environ.pop("LC_CTYPE", None)
    sys.argv[0] = "berth"
    main()
