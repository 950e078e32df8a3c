"""A pod's process on a volume: does what it is told, a line of JSON each, and answers with one. Started by pods.Pod."""

import errno
import json
import os
import sys
from typing import TextIO

mounted, user = sys.argv[1], int(sys.argv[2])
held: dict[str, TextIO] = {}


def do(what: str, name: str = "", text: str = "") -> object:
    """One deed; OSError when the kernel says no."""
    path = f"{mounted}/{name}"
    if what == "list":
        return sorted(os.listdir(mounted))
    if what == "write":
        with open(path, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    elif what == "read":
        with open(path) as file:
            return file.read()
    elif what == "hold":
        held[name] = open(path, "r+")  # noqa: SIM115 - it stays open, that is the point
    elif what == "append":
        held[name].seek(0, os.SEEK_END)
        held[name].write(text)
        held[name].flush()
        os.fsync(held[name].fileno())
    elif what == "reread":
        # Past the client's cache: the server is asked.
        os.posix_fadvise(held[name].fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        held[name].seek(0)
        return held[name].read()
    return None


# Only now, and not by who starts this: the user may not be let to where this Python lies.
os.setgroups([])
os.setgid(user)
os.setuid(user)
for line in sys.stdin:
    try:
        answer = {"did": do(*json.loads(line))}
    except OSError as error:
        answer = {"failed": errno.errorcode[error.errno or 0]}
    print(json.dumps(answer), flush=True)
