"""Down a path of this host one part after the other, through handles: whoever may rename things on the way can make the
walk fail, and not lead it elsewhere.
"""

from __future__ import annotations

import os

_DIRECTORY = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
PARENT_MODE = 0o755


def made_along(path: str) -> int:
    """A handle of the directory at an absolute path, made with its parents (0755, whatever the umask) where missing.

    No symbolic link is followed, at the end or on the way: OSError that names the part. The caller closes it.
    """
    handle = os.open("/", os.O_RDONLY | _DIRECTORY)
    parts = [part for part in path.split("/") if part]
    try:
        for number, part in enumerate(parts, 1):
            handle, above = _entered(handle, part, "/" + "/".join(parts[:number])), handle
            os.close(above)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _entered(above: int, part: str, shown: str) -> int:
    try:
        is_new = _is_made(above, part)
        inside = os.open(part, os.O_RDONLY | _DIRECTORY, dir_fd=above)
    except OSError as error:
        raise OSError(error.errno, error.strerror, shown) from error
    if is_new and not os.listdir(inside):  # else something else was moved there in between, and is left as it is
        os.fchmod(inside, PARENT_MODE)
    return inside


def _is_made(above: int, part: str) -> bool:
    try:
        os.mkdir(part, PARENT_MODE, dir_fd=above)
    except FileExistsError:
        return False
    return True
