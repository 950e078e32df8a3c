"""Whether a message is about NFS: by what its own record says, or because an object in it is known to be on NFS.

Many programs print the same errors on any file system. Such a message is a failure of NFS only where that is shown: by
the words of the record it stands in, by a path below an NFS mount that the text lists anywhere, or by a pod, a PV or a
claim of which the text says so. What another driver, an image or the node's own disk says is none of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Literal

from berth.doctor.names_in_text import Names
from berth.findings.pattern import bounded

Verdict = Literal["nfs", "other", "own disk", "unknown"]
"""other: another driver's file system; own disk: the node's own, under images and containers."""

AFTER = 8
"""Lines after a message that may belong to it: of kubelet's event about a mount those that name it come last."""

_STRONG = re.compile(
    r"\bu?mount\.nfs|-t nfs|\btype nfs|kubernetes\.io[~/]nfs\b|\bnfs\.csi\.k8s\.io|\bnfs: server |\bNFS[34]?: "
    r"|\bNFS[34]ERR_|\brpc\.(?:statd|mountd|gssd|nfsd)|\blockd: |\bexportfs: |/persistentvolumes/|/\.nfs[0-9a-f]{16}"
    r"|to create directory to provision new pv|[\w.\]:-]+#[\w/.-]*#pvc-|\.berth/"
)
"""What only NFS's programs say."""
_WEAK = re.compile(
    r"(?i)(?<![a-z0-9])nfs(?:v?[34](?:\.[0-2])?|d)?(?![a-z0-9])"
    r"(?![-\w]{0,40}\.(?:pdf|md|txt|log|py|go|c|h|js|ts|rst|html?|conf|sh|ya?ml|json|deb|rpm|gz|tar|ko|service|so)\b)"
    r"(?!-(?:common|utils|kernel-server|docs?)\b)|stale NFS|failed to make subdirectory"
)
"""A name or a path with NFS in it."""
_OTHER = re.compile(
    r"(?:smb|ebs|pd|disk|file|rbd|cephfs|cinder|hostpath|s3)\.csi\."
    r"|\.csi\.(?:ceph|vsphere|hetzner|digitalocean|alibabacloud)|csi\.(?:hetzner|vsphere|trident)"
    r"|longhorn|rook-ceph|cephfs|\brbd\b|glusterfs|\bcifs\b(?!\))|\bsmb[23]?\b|local-path|openebs|topolvm|linstor"
    r"|portworx|linodebs|dobs\.csi|everest|diskplugin|kubernetes\.io~(?!nfs|csi)"
    r"|kubernetes\.io/(?:aws-ebs|gce-pd|azure|rbd|cephfs|cinder|vsphere|no-provisioner)"
    r"|etcd-(?:client|endpoints)|\bdev(?:ice)? (?:sd|vd|xvd|nvme|dm-|loop|sr)|\b(?:EXT4-fs|XFS|BTRFS)\b"
    r"|/dev/(?:sd|vd|xvd|nvme|mapper|rbd|loop|longhorn)|(?i:s3fs|fuse\.(?!pri))|\btype (?:ext4|xfs|btrfs|tmpfs|overlay)"
)
"""Another driver, or another file system."""
_OWN_DISK = re.compile(
    r"/var/lib/(?:containerd|docker|containers|rancher|etcd|buildkit|kubelet/(?!pods/[^/]{1,80}/volumes))"
    r"|register layer|pull(?:ing)? image|unpack image|extract(?:ing)? layer|overlayfs|mount source path|snapshotter"
)
"""The node's own disk: images and what containers are made of."""
_OWN_PATH = re.compile(
    r"/(?:etc|usr/(?:bin|sbin|lib|lib64|libexec|src|local/(?:bin|lib))|proc|sys|dev|bin|sbin|lib|lib64|boot|run|tmp"
    r"|root/\.\w|Users|var/(?:cache|log|run|tmp|lib/"
    r"(?:containerd|docker|containers|etcd|rancher|dpkg|apt|kubelet(?!/pods/[^/]{1,80}/volumes))))(?:/|$)"
)
"""Where no volume is, unless the text lists a mount there."""
_EVENT = re.compile(r"(?:(?:Unm|M)ounting (?:command|arguments)|Output): ")
"""Lines of kubelet's event about a mount, which begin as others do."""

_PLACE = r"(?:\[[0-9a-fA-F:%.]+\]|[\w.-]+):/\S*"
_MOUNTS = tuple(
    re.compile(bounded(source))
    for source in (
        rf"^(?:\S+: )?{_PLACE} on (?P<mountpoint>/\S+) type nfs",
        rf"(?:^|\s){_PLACE}\s+(?P<mountpoint>/\S+)\s+nfs4?\s",
        rf"(?P<mountpoint>/\S+)\s+{_PLACE}\s+nfs4?\s",
        rf"^{_PLACE} +[\d.]+[KMGTP]?i? +[\d.]+[KMGTP]?i? +-?[\d.]+[KMGTP]?i? +\d+% (?P<mountpoint>/\S*)",
        rf"-t nfs4?(?: -o \S+)? {_PLACE} (?P<mountpoint>/\S+)",
        r"(?P<mountpoint>/\S*/volumes/kubernetes\.io~nfs/(?P<volume>[^/\s\"':]+))",
        r"\"(?P<volume>[a-z0-9.-]+)\" is on nfs ",
    )
)
_PODS = re.compile(r"/pods/(?P<uid>[-0-9a-f]{36})/volumes/kubernetes\.io~nfs/")


def record_of(line: str, before: Sequence[str], after: Sequence[str]) -> list[str]:
    """The lines of a message that goes over several: of those around it, what belongs to it."""
    found: list[str] = []
    if _goes_on(line) or (before and _EVENT.match(before[-1])):
        for said in reversed(before):
            found.append(said)
            if not _goes_on(said):
                break
    return [*found, *takewhile(_goes_on, after)]


def _goes_on(line: str) -> bool:
    """Whether a line goes on with the message before it."""
    return line[:1].isspace() or bool(_EVENT.match(line))


def verdict(line: str, record: Iterable[str]) -> Verdict:
    """What a message and the record that it stands in say about the file system that is meant."""
    around = "\n".join(record)
    if _STRONG.search(line) or _STRONG.search(around):
        return "nfs"
    if _OTHER.search(line) or _OTHER.search(around):
        return "other"
    if _OWN_DISK.search(line):
        return "own disk"
    return "nfs" if _WEAK.search(line) else "unknown"


class KnownOnNfs:
    """What the text says to be on NFS, wherever it says so."""

    NEEDLES = (" type nfs", " nfs4 ", " nfs ", "\tnfs", "-t nfs", "~nfs/", "% /", " is on nfs ")

    def __init__(self) -> None:
        self._mountpoints: set[str] = set()
        self._volumes: set[str] = set()
        self._uids: set[str] = set()

    def read(self, line: str) -> None:
        """Takes a line of the text that has one of NEEDLES."""
        for pattern in _MOUNTS:
            for match in pattern.finditer(line):
                known = match.groupdict()
                if known.get("mountpoint"):
                    self._mountpoints.add(known["mountpoint"].rstrip("/.,:;'\"") or "/")
                if known.get("volume"):
                    self._volumes.add(known["volume"])
        self._uids |= {match["uid"] for match in _PODS.finditer(line)}

    def holds(self, names: Names) -> bool:
        """Whether an object that these names name is known to be on NFS."""
        if {names.get("volume"), names.get("mounted")} & self._volumes:
            return True
        return any(self._is_below(path) for path in paths_in(names))

    def _is_below(self, path: str) -> bool:
        parts = path.rstrip("/").split("/")
        return any("/".join(parts[: count + 1]) in self._mountpoints for count in range(1, len(parts)))


def paths_in(names: Names) -> list[str]:
    """The paths that a message names."""
    return [names[kind] for kind in ("file", "directory", "mountpoint") if names.get(kind, "").startswith("/")]


def is_own_disk(names: Names) -> bool:
    """Whether all paths that it names are where no volume is."""
    paths = paths_in(names)
    return bool(paths) and all(_OWN_PATH.match(path) for path in paths)
