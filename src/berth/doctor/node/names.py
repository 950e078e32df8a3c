"""The names of the NFS servers in use, as this host resolves them: a mount outlives a name, until a reboot."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Iterator

from berth.aio import command
from berth.doctor.known import find
from berth.doctor.node.host import Host
from berth.doctor.run import Check, CouldNotLookError
from berth.findings.finding import Finding, Subject, Unseen
from berth.texts.text import Text

_DEADLINE = 4.0
_NOT_FOUND = 2
"""getent's code for a name that is not known."""


async def _look(host: Host) -> AsyncIterator[Finding | Unseen]:
    places = dict(_places(host))
    if places and not host.is_own:
        raise CouldNotLookError(Text("a node's DNS can only be asked on the node", "节点的 DNS 只能在节点上查询"))
    for server, point in places.items():
        failed = await _fails_to_resolve(server)
        if failed:
            yield find(
                "server-unresolved", Subject("server", server), variant="mount", mountpoint=point, evidence=[failed]
            )


async def _fails_to_resolve(server: str) -> str:
    try:
        result = await command.run(["getent", "ahosts", server], deadline=_DEADLINE, accept=(0, _NOT_FOUND))
    except command.CommandTimedOut as error:
        return str(error)
    return f"getent ahosts {server}: not found" if result.code == _NOT_FOUND else ""


def _places(host: Host) -> Iterator[tuple[str, str]]:
    """Each server that has a name, and a mount point for it: of the mounts, and of what fstab will mount."""
    fstab = host.path("/etc/fstab")
    for line in fstab.read_text("utf-8", "replace").splitlines() if fstab.exists() else ():
        words = line.split()
        if len(words) >= 3 and not line.lstrip().startswith("#") and words[2] in ("nfs", "nfs4"):
            server = words[0].partition(":/")[0]
            if not _is_address(server):
                yield server, words[1]
    for mount in host.nfs_mounts:
        if not _is_address(mount.server):
            yield mount.server, mount.point


def _is_address(server: str) -> bool:
    try:
        ipaddress.ip_address(server.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True


CHECKS: tuple[Check[Host], ...] = (
    Check("node-names", Text("the names of NFS servers in use", "所用 NFS 服务器的名字"), _look),
)
