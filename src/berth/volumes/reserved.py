"""Names that servers and file systems keep for themselves: no volume is made under one, at any depth, or moved.

What lies there is not Berth's, often can't be removed, and on some servers is not even a real directory.
"""

from __future__ import annotations

import unicodedata

from berth.volumes.errors import Refused
from berth.volumes.naming import fold, volume_path

NAMES = {
    "lost+found": "ext2, ext3 and ext4 (e2fsck) keep recovered files there",
    ".snapshot": "snapshots of NetApp ONTAP, Dell OneFS, Pure and others",
    ".snapshots": "snapshots of snapper (btrfs), IBM Storage Scale and QNAP",
    ".snap": "snapshots of CephFS and of FreeBSD's UFS",
    "~snapshot": "snapshots of NetApp ONTAP, as SMB shows them",
    "#snapshot": "snapshots of Synology DSM",
    "@recently-snapshot": "snapshots of QNAP QTS",
    ".zfs": "ZFS: snapshots and shares",
    ".ckpt*": "checkpoints of Dell VNX and Celerra",
    ".ifsvar": "Dell OneFS: the cluster's own files",
    ".glusterfs": "GlusterFS: its own links to all files",
    ".trashcan": "GlusterFS: its trash",
    ".lustre": "Lustre: its own view by file id",
    ".mmsharedtmpdir": "IBM Storage Scale: its own files",
    ".panfs.*": "Panasas: its own files",
    "@eadir": "Synology DSM: thumbnails and attributes",
    "@tmp": "Synology DSM: its own files",
    "@sharebin": "Synology DSM: its own files",
    "@sharesnap": "Synology DSM: its own files",
    "#recycle": "the recycle bin of Synology DSM",
    "@recycle": "the recycle bin of QNAP QTS",
    ".@__thumb": "QNAP QTS: thumbnails",
    ".@upload_cache": "QNAP QTS: its own files",
    ".recycle": "the recycle bin of Samba (vfs_recycle)",
    ".trash": "a desktop's trash (freedesktop.org)",
    ".trash-*": "a desktop's trash (freedesktop.org)",
    ".trashes": "the trash of macOS",
    ".nfs*": "NFS clients: files that were removed while they were open",
    ".fuse_hidden*": "FUSE: files that were removed while they were open",
    ".smbdelete*": "SMB clients: files that were removed while they were open",
    ".wh.*": "overlay and aufs: marks of removed files",
    "system volume information": "Windows: the volume's own files",
    "$recycle.bin": "the recycle bin of Windows",
    "recycler": "the recycle bin of older Windows",
    "$extend": "NTFS: its own files",
    "$mft": "NTFS: its own files",
    ".fseventsd": "macOS: its log of changes",
    ".spotlight-v100": "macOS: its index",
    ".documentrevisions-v100": "macOS: versions of documents",
    ".temporaryitems": "macOS: its own files",
    ".appledouble": "netatalk: resource forks",
    ".appledb": "netatalk: its own files",
    ".appledesktop": "netatalk: its own files",
    "network trash folder": "netatalk: trash",
    "temporary items": "netatalk: its own files",
    ".hfs+ private directory data*": "HFS+: its own files",
    "aquota.user": "ext4: the quota's own file",
    "aquota.group": "ext4: the quota's own file",
    "quota.user": "older quota tools: the quota's own file",
    "quota.group": "older quota tools: the quota's own file",
}
"""Name (`*` for anything behind it), in lower case -> whose it is. From the makers' own documentation of what their
servers show in an export, and from the file systems' sources and manual pages (e2fsck(8), zfs(8), nfs(5) on silly
renames, the freedesktop.org trash specification)."""

_EXACT = {name: whose for name, whose in NAMES.items() if not name.endswith("*")}
_BEGINNINGS = {name.removesuffix("*"): whose for name, whose in NAMES.items() if name.endswith("*")}


def owner_of(path: str) -> tuple[str, str]:
    """The first part of a path that is such a name, and whose it is; two empty texts when there is none."""
    for part in path.split("/"):
        folded = fold(part)
        if folded in _EXACT:
            return part, _EXACT[folded]
        for beginning, whose in _BEGINNINGS.items():
            if folded.startswith(beginning):
                return part, whose
    return "", ""


def new_volume_path(path: str, *, field: str = "path") -> str:
    """The same path, if a new volume may be made there: what naming.volume_path allows, none of these names, and no
    character that is not seen. Two paths that look the same must be the same. Refused, naming field, otherwise.
    """
    volume_path(path, field=field)
    name, whose = owner_of(path)
    if name:
        raise Refused(field, f"{path!r} contains {name!r}, a name that belongs to the server ({whose}); use another")
    if not path.isascii() and any(unicodedata.category(character) == "Cf" for character in path):
        raise Refused(field, f"{path!a} contains a character that is not seen; leave it out")
    return path
