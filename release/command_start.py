"""Starts Berth as a command of the host: as whoever calls it, with the host's environment for children.

The first argument is the file of the command that needs nothing, empty in a package; the others are the person's.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from berth.cli.main import main
from berth.host.own_file import note_start

if __name__ == "__main__":
    # Python has set it for itself where no locale was; an older host's programs don't know C.UTF-8, and say so loudly.
    with suppress(OSError):  # as where nobody has mounted /proc
        if b"LC_CTYPE=" not in Path("/proc/self/environ").read_bytes():
            os.environ.pop("LC_CTYPE", None)
    sys.argv[0] = "berth"
    note_start(sys.argv.pop(1))
    main()
