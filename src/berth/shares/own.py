"""Where on a share things are removed: Berth's own directory and nowhere else. The wall in front of every removal."""

from __future__ import annotations

from berth.volumes.errors import Refused, Unavailable
from berth.volumes.naming import HOME, TRASH, split_path

_NOT_ALLOWED = ("_PERM", "_ACCES", "_ACCESS", "_ROFS", "EPERM", "EACCES", "EROFS")


def left_behind(share: str, path: str, count: int, first: str, status: str) -> Unavailable:
    """Some entries of a tree could not be removed. first: one of them, as a path in it; status: what prevented it."""
    noun = "entry" if count == 1 else "entries"
    why = f"{count} {noun} could not be removed, such as {first!r}"
    return Unavailable(share, "permission" if status.endswith(_NOT_ALLOWED) else "io", why, status=status, path=path)


def own_file(path: str) -> tuple[str, ...]:
    """The parts of a path below `.berth/`, the only place where single files are removed; Refused otherwise."""
    parts = split_path(path)
    if parts[0] != HOME or len(parts) < 2:
        raise Refused(path, f"is not below {HOME}, and files elsewhere are not Berth's to remove")
    return parts


def trash_entry(path: str) -> tuple[str, ...]:
    """The parts of a path below `.berth/trash/`, the only place where trees are removed; Refused otherwise."""
    parts = split_path(path)
    if not path.startswith(f"{TRASH}/"):
        raise Refused(path, f"is not below {TRASH}, and nothing elsewhere is removed with what is in it")
    return parts
