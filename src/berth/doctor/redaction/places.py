"""Stand-ins for addresses, UIDs and paths. What lies where is seen as before: `/dir-1` is above `/dir-1/dir-2`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

UID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_OWN_ADDRESSES = frozenset({"127.0.0.1", "0.0.0.0", "::1", "::"})
"""They are every host's."""
_SYSTEM = frozenset({
    "", ".", "..", "etc", "exports", "exports.d", "berth.exports", "proc", "self", "mounts", "mountinfo", "sys", "dev",
    "null", "run", "var", "lib", "usr", "bin", "sbin", "kubelet", "pods", "volumes", "kubernetes.io~nfs", "plugins",
    "kubernetes.io~csi", "kubernetes.io", "volume-subpaths", "fstab", "hosts", "resolv.conf", "nfs.conf",
    "nfs.conf.d", "nfsmount.conf", "idmapd.conf", "krb5.keytab", "modprobe.d", "systemd", "system", "log", "tmp",
    "persistentvolumes", "config", "mount.", "mount.nfs", "mount.nfs4", "umount.nfs", ".berth", "trash", "archives",
    "clusters", "protocols", "share.json",
    "api", "apis", "v1", "namespaces", "healthz", "readyz", "livez", "metrics", "serviceaccount",
    "secrets", "token", "ca.crt", "spec", "metadata", "status", "finalizers", "mountOptions",
    "annotations", "parameters",
})  # fmt: skip
"""Parts of paths that are the same on every host, in every cluster."""
_SILLY = re.compile(r"\.nfs[0-9a-f]+")
"""What the kernel calls a file that is deleted while it is open."""
_ENDS = (".json", ".yaml", ".log", ".conf", ".sock", ".exports")
_NETWORKS = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15")
"""What no host has: RFC 5737, and RFC 2544 when these are used up."""
_NETWORK6 = ipaddress.IPv6Network("2001:db8::/32")


class Places:
    """The stand-ins of one run. named: the stand-in of one part of a path."""

    def __init__(self, named: Callable[[str], str]) -> None:
        self._named = named
        self._known: dict[str, str] = {}
        self._free = (str(each) for network in _NETWORKS for each in ipaddress.ip_network(network).hosts())
        self._free6: Iterator[str] = (str(_NETWORK6[number]) for number in range(1, 1 << 30))
        self._uids = 0

    def address(self, raw: str) -> str | None:
        """The stand-in of an IP address; None where it is none."""
        bare, zone, _ = raw.partition("%")
        try:
            parsed = ipaddress.ip_address(bare)
        except ValueError:
            return None
        if bare in _OWN_ADDRESSES:
            return raw
        key = str(parsed)
        if key not in self._known:
            self._known[key] = next(self._free if parsed.version == 4 else self._free6)
        return f"{self._known[key]}{'%eth0' if zone else ''}"

    def uid(self, raw: str) -> str:
        """The stand-in of a UID."""
        key = raw.lower()
        if key not in self._known:
            self._uids += 1
            self._known[key] = f"00000000-0000-4000-8000-{self._uids:012x}"
        return self._known[key]

    def path(self, raw: str) -> str:
        """The stand-in of a path: of each of its parts that is not the same everywhere."""
        return "/".join(self._part(part) for part in raw.split("/"))

    def _part(self, part: str) -> str:
        if part in _SYSTEM or _SILLY.fullmatch(part):
            return part
        end = next((end for end in _ENDS if part.endswith(end)), "")
        head = "archived-" if part.startswith("archived-") else ""
        return f"{head}{self._named(part[len(head) : len(part) - len(end)])}{end}"
