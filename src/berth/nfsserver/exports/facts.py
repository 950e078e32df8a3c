"""What lint and init have to know about the host, as values: survey asks the host for them, the rules never do."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from berth.nfsserver.exports.flags import VARYING, Flag
from berth.nfsserver.exports.installed import NfsUtils
from berth.nfsserver.exports.parse import Export, ExportsFile
from berth.nfsserver.exports.spelling import ResolvedHost, spell

NEEDS_FSID = frozenset(
    {"tmpfs", "ramfs", "overlay", "aufs", "nfs", "nfs4", "ceph", "virtiofs", "9p", "glusterfs", "cifs"}
)
"""File systems without a device and a UUID of their own; so are all of FUSE."""
NOT_EXPORTABLE = frozenset(
    {
        *("proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "securityfs", "selinuxfs", "debugfs", "tracefs"),
        *("configfs", "pstore", "efivarfs", "bpf", "nsfs", "mqueue", "hugetlbfs", "binfmt_misc", "sockfs", "fusectl"),
        *("autofs", "rpc_pipefs", "nfsd", "9p", "ecryptfs", "vboxsf"),
    }
)
"""File systems that the kernel's NFS server does not take."""

SYSTEM = ("/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/root", "/run", "/sbin", "/sys", "/usr", "/var")
"""Directories of the operating system, which are not for exporting."""


@dataclass(frozen=True, slots=True)
class FileSystem:
    """One mounted file system."""

    point: str
    kind: str
    """`ext4`, `fuse.sshfs`."""

    @property
    def needs_fsid(self) -> bool:
        """Has it no identity that outlives a restart, so that an export must give it one."""
        return self.kind in NEEDS_FSID or self.kind.startswith("fuse")

    @property
    def is_exportable(self) -> bool:
        """Can the kernel's NFS server export it at all."""
        return self.kind not in NOT_EXPORTABLE

    @property
    def bears_tree(self) -> bool:
        """Can the NFSv4 tree grow from here. An overlay can be exported under conditions, and is no root for others."""
        return self.is_exportable and self.kind not in ("overlay", "aufs", "rootfs", "hostfs")


@dataclass(frozen=True, slots=True)
class PathFacts:
    """What is at an exported path."""

    path: str
    real: str
    """Without links, also where nothing is there yet."""
    kind: Literal["directory", "other", "missing"]
    mode: int = 0
    """Permission bits (07777)."""
    uid: int = 0
    gid: int = 0
    is_empty: bool = True
    """Is it a directory with nothing in it."""
    parent: str = ""
    """The nearest directory above it that users other than its owner can't pass; empty when they can pass all."""
    parent_mode: int = 0
    changeable: str = ""
    """The nearest directory above it where somebody other than root can put something else in its place, if any."""
    changeable_mode: int = 0
    changeable_uid: int = 0
    identity: tuple[int, int] | None = None
    """Device and inode of what is there: which directory was looked at."""
    mount: FileSystem = FileSystem("/", "")
    """The file system that it is on (where it would be made, if it is missing)."""
    below: tuple[FileSystem, ...] = ()
    """The file systems mounted below it, pseudo file systems left out."""
    lookalikes: tuple[str, ...] = ()
    """For a missing one: directories that exist and may be meant."""

    @property
    def mode_text(self) -> str:
        """The mode as people write it: 0755."""
        return f"{self.mode:04o}"

    def lets_write(self, uid: int, gid: int) -> bool:
        """May this user make entries in it. (Root may always; ask for the user whom the server sees.)"""
        if uid == 0:
            return True
        shift = 6 if uid == self.uid else 3 if gid == self.gid else 0
        return (self.mode >> shift) & 0o3 == 0o3


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The host, as far as exports are concerned."""

    paths: Mapping[str, PathFacts] = field(default_factory=dict)
    """By exported path; a path that is not in it was not looked at."""
    hosts: Mapping[str, ResolvedHost] = field(default_factory=dict)
    root: FileSystem = FileSystem("/", "")
    """The file system of `/`."""
    live: tuple[Export, ...] | None = None
    """The live table; None: leave it out of the comparison."""
    ignored: tuple[str, ...] = ()
    """Files below exports.d that exportfs does not read."""
    machine_id: str = ""
    """What tells this machine from others for ever (/etc/machine-id)."""
    varying: Flag = VARYING
    nfs_utils: NfsUtils | None = None
    """The nfs-utils that reads the exports; None: not known."""

    def real(self, path: str) -> str:
        """The path without links, as far as it was looked at."""
        found = self.paths.get(path)
        return found.real if found else path

    def spelled(self, files: Sequence[ExportsFile]) -> tuple[Export, ...]:
        """The exports of files as the live table spells them: clients, and paths as far as they were looked at."""
        return spell([export for file in files for export in file.exports], self.hosts, self.real)


def stable_fsid(machine: str, path: str) -> str:
    """A UUID for the export of path on machine: the same at every call, different anywhere else."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"nfs://{machine}{path}"))
