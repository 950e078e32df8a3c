"""Names and paths on a share: the first of the two walls behind which anything is renamed or removed (design I1).

A path is a str relative to the share's root, parts joined by `/`, already normal: what passes split_path can be handed
to a file system without it meaning another place. The share looks at the parts again before it touches anything.
"""

from __future__ import annotations

import re
import unicodedata

from berth.texts.bounded import quoted
from berth.volumes.errors import Refused

HOME = ".berth"
"""Berth's own directory in a share's root."""
VOLUMES = f"{HOME}/volumes"
ARCHIVES = f"{HOME}/archives"
TRASH = f"{HOME}/trash"
CLUSTERS = f"{HOME}/clusters"
DIRECTORIES = (HOME, VOLUMES, ARCHIVES, TRASH, CLUSTERS)
SHARE_FILE = f"{HOME}/share.json"
TRIAL = ".try-"
"""How names in the trash begin that stand for nothing: see trial_path."""
ARCHIVED = "archived-"
"""How the name of an archive in the share's root begins (nfs-subdir-external-provisioner's spelling)."""

MAX_PART_BYTES = 255
"""NAME_MAX of every file system behind an NFS server, and of NFSv3 and v4 servers in practice."""
MAX_PATH_BYTES = 1024
"""NFSv3's own limit of a path (RFC 1813, MNTPATHLEN); a longer one could not be mounted over v3."""

_SPECIAL = frozenset({"", ".", ".."})
_BY_UID = re.compile(r"pvc-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SUFFIX = ".json"
_STAMP_BYTES = len("-20260131T120000Z-99")
_SHORT_HOME = re.compile(r"berth~[0-9]+")
"""How Windows spells `.berth` for programs that know short names only."""


def split_path(path: str, *, field: str = "path") -> tuple[str, ...]:
    """The parts of a path below a share's root; Refused (naming field) if it is not one: see the rules in the body.

    The root itself, `""`, is not a path below the root and is refused too.
    """
    if not path:
        raise Refused(field, "is empty, which would be the root of the share; name a directory below it")
    if path.startswith("/"):
        raise Refused(field, f"{quoted(path)} begins with `/`; write it relative to the root of the share")
    if "\0" in path:
        raise Refused(field, f"{quoted(path)} contains a NUL character; leave it out")
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        raise Refused(
            field, f"{quoted(path)} is not valid Unicode text; use characters that can be written as UTF-8"
        ) from None
    parts = tuple(path.split("/"))
    if size > MAX_PART_BYTES or not _SPECIAL.isdisjoint(parts):  # else no part can be wrong, as nearly always
        _check_parts(path, parts, field)
    if size > MAX_PATH_BYTES:
        raise Refused(
            field, f"{quoted(path)} is longer than {MAX_PATH_BYTES} bytes, the limit of an NFS path; shorten it"
        )
    return parts


def _check_parts(path: str, parts: tuple[str, ...], field: str) -> None:
    for part in parts:
        if part == "":
            raise Refused(field, f"{quoted(path)} has an empty part; write one `/` between parts and none at the end")
        if part in (".", ".."):
            raise Refused(
                field, f"{quoted(path)} contains the part {part!r}, which leads elsewhere; name the directory itself"
            )
        if len(part.encode()) > MAX_PART_BYTES:
            raise Refused(
                field, f"{quoted(part)} is longer than {MAX_PART_BYTES} bytes, the limit of a file name; shorten it"
            )


def volume_path(path: str, *, field: str = "path") -> str:
    """The same path, if a volume may live there; Refused otherwise. Keeps volumes out of what is Berth's own.

    Control characters and line breaks are refused as well: they could not be typed, and would break the lines of logs
    and mount tables. Berth's own names are kept free in any case: some servers hold `.BERTH` and `.berth` for one.
    """
    first = fold(split_path(path, field=field)[0])
    # Behind a colon, NTFS names a stream of the same directory.
    if first == HOME or first.startswith((f"{HOME}.", f"{HOME}:")) or _SHORT_HOME.fullmatch(first):
        raise Refused(
            field, f"{quoted(path)} begins with {HOME!r}, where Berth keeps its own records; begin it otherwise"
        )
    if first.startswith(ARCHIVED):
        raise Refused(
            field,
            f"{quoted(path)} begins with {ARCHIVED!r}, as archives of deleted volumes do; begin it otherwise",
        )
    if not is_printable(path):
        raise Refused(field, f"{quoted(path)} contains a control character or a line break; leave it out")
    return path


def is_printable(text: str) -> bool:
    """Whether text holds neither control characters (C0, DEL, C1) nor line and paragraph separators."""
    if text.isascii():  # nearly always; and there Python means the same by printable
        return text.isprintable()
    return not any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text)


def fold(part: str) -> str:
    """A part of a path as the most forgiving server takes it: whatever case and Unicode form it is written in (macOS,
    Windows, ZFS, ext4 with casefold), without characters that are not seen (HFS+), without dots and blanks at its end
    (Windows). Two parts that fold to the same may be one directory, and two that don't never are.
    """
    if part.isascii():  # nearly always
        return part.lower().rstrip(". ") or part
    seen = "".join(character for character in part if unicodedata.category(character) != "Cf")
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", seen).casefold())
    return folded.rstrip(". ") or part


def fold_path(path: str) -> str:
    """A path with each of its parts folded."""
    return "/".join(map(fold, path.split("/")))


def overlaps(one: str, other: str) -> bool:
    """Whether two normal paths are the same directory or one contains the other."""
    return one == other or one.startswith(other + "/") or other.startswith(one + "/")


def names_pv(path: str, pv: str) -> bool:
    """Whether no other PV's directory, in any cluster, can overlap path, because its first part names the PV.

    Only a whole UUID counts as a name: a PV made by hand could be called like a part of another's directory.
    """
    return _BY_UID.fullmatch(pv) is not None and pv in path.split("/", 1)[0]


def archive_name(path: str) -> str:
    """`archived-<path with / as ->`, shortened so that its metadata's file name fits too."""
    return shorten(ARCHIVED + path.replace("/", "-"), len(_SUFFIX))


def archive_stem(path: str) -> str:
    """What every archive of path is called at least: archive_name, shortened so that a time fits behind it."""
    return shorten(archive_name(path), _STAMP_BYTES + len(_SUFFIX))


def shorten(name: str, room: int = 0) -> str:
    """A name cut to MAX_PART_BYTES less room, at a character's border."""
    return name.encode()[: MAX_PART_BYTES - room].decode(errors="ignore")


def record_path(pv: str) -> str:
    """Where a volume's record lies."""
    return f"{VOLUMES}/{pv}{_SUFFIX}"


def metadata_path(archive: str) -> str:
    """Where an archive's metadata lies: the record of the volume that it was."""
    return f"{ARCHIVES}/{archive}{_SUFFIX}"


def pointer_path(pv: str) -> str:
    """Where it is written which archive a volume became, if not the one that is named after its path alone."""
    return f"{ARCHIVES}/{pv}.name"


def recorded_name(file_name: str) -> str:
    """The PV, archive or cluster that a file in one of Berth's directories is about; empty if it is no such file."""
    is_record = file_name.endswith(_SUFFIX) and not file_name.startswith(".")
    return file_name.removesuffix(_SUFFIX) if is_record else ""


def trial_path(pv: str) -> str:
    """Where a new, empty volume is moved to and back, to see that it can be: no PV's name begins with a dot."""
    return f"{TRASH}/{TRIAL}{pv}"


def trash_path(pv: str) -> str:
    """Where a deleted volume waits to be purged."""
    return f"{TRASH}/{pv}"
