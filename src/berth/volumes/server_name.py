"""How a server is written: bare where it is compared, looked up or asked, and in brackets in front of a path.

Every kubelet mounts a PV whose `spec.nfs.server` holds an IPv6 address in brackets: the in-tree plugin joins
`server:path` as it stands (pkg/volume/nfs/nfs.go), and since 1.22 it adds brackets to what is an address without them
(getServerFromSource, kubernetes#101067). mount.nfs and the kernel take an unbracketed server's name to end at the first
colon (nfs_parse_devname of nfs-utils, nfs_parse_source of fs/nfs/fs_context.c).
"""

from __future__ import annotations

import ipaddress

from berth.volumes.errors import Refused


def bare(server: str) -> str:
    """A server's name or address without the brackets of an IPv6 address."""
    return server[1:-1] if server.startswith("[") and server.endswith("]") else server


def bracketed(server: str) -> str:
    """A server as it stands on a PV and in front of a path: an IPv6 address in brackets, all else as it is."""
    return f"[{server}]" if ":" in server and not server.startswith("[") else server


def on_server(server: str, path: str) -> str:
    """`server:path`, in which it is clear where the one ends and the other begins."""
    return f"{bracketed(server)}:{path}"


def split_share(share: str) -> tuple[str, str] | None:
    """The bare server and the path of `server:/path`, with and without brackets; None where it is not of that form.

    No IPv6 address holds `:/`.
    """
    server, separator, rest = share.partition(":/")
    return (bare(server), f"/{rest}") if separator else None


def respelled(share: str) -> str:
    """`server:/path` in its one spelling; what is not of that form, as it is."""
    if share.count(":") < 2:
        return share
    split = split_share(share)
    return on_server(*split) if split is not None else share


def is_ipv6(server: str) -> bool:
    """Whether a bare server is an IPv6 address, with or without a zone."""
    try:
        return bool(ipaddress.IPv6Address(server))
    except ValueError:
        return False


def refuse_link_local(server: str, field: str) -> None:
    """Refused for an IPv6 address that means something on one network interface of one host only."""
    address, zone, _ = bare(server).partition("%")
    try:
        is_local = ipaddress.IPv6Address(address).is_link_local
    except ValueError:
        return
    if is_local or zone:
        raise Refused(
            field,
            f"{server!r} is an address of one network segment, which each node reaches by another interface name, if "
            f"at all; use a global or unique local (fd00::/8) address of the server, or a name",
            zh=f"{server!r} 是只在一个网段内有效的地址，各节点的网卡名不同，未必能访问；请改用服务器的全局地址或"
            f"唯一本地地址（fd00::/8），或者域名",
        )
