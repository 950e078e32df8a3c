"""`python -m benchmarks.cpu OUTPUT PROGRAM ...`: a Python program under cProfile, by CPU time: waiting is free."""

from __future__ import annotations

import cProfile
import runpy
import sys
import time


def main() -> None:
    """Runs the program as `python PROGRAM ...` would, and writes the profile when it ends."""
    _, output, program, *arguments = sys.argv
    sys.argv = [program, *arguments]
    profile = cProfile.Profile(time.thread_time)
    profile.enable()
    try:
        runpy.run_path(program, run_name="__main__")
    finally:
        profile.disable()
        profile.dump_stats(output)


if __name__ == "__main__":
    main()
