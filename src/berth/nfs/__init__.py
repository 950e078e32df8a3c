"""NFS and RPC as a library: versions 3 and 4.0 on an asyncio event loop, without a mount and without a kernel client.

It knows nothing of volumes. `xdr` and `rpc` are the wire; `portmapper`, `mount`, `v3`, `v4` and `locks` speak one
protocol each. The `open_session` of a version answers a Session, whose contract stands in `session`. Resolver looks
server names up, Servers tells which of them are one server. The rest of Berth uses the names in __all__, no others.
"""

from berth.nfs import locks, mount, portmapper, v3, v4
from berth.nfs.errors import CallRejected, ConnectFailed, ConnectionLost, RpcError, Withheld
from berth.nfs.message import ROOT, Identity
from berth.nfs.mount import Offered
from berth.nfs.portmapper import Registration
from berth.nfs.programs import (
    LOCKD,
    MOUNTD,
    NFS3,
    NFS4,
    NFS_PORT,
    PORTMAPPER,
    PORTMAPPER_PORT,
    PROGRAM_NAMES,
    STATD,
)
from berth.nfs.resolve import Resolver, Unresolved, spelling
from berth.nfs.rpc import Connection, connected, ping
from berth.nfs.servers import Servers
from berth.nfs.session import (
    START,
    Attributes,
    DirectoryEntry,
    LookThen,
    NfsNode,
    OpenThen,
    Position,
    ReadThen,
    RemoveThen,
    Session,
    Then,
)
from berth.nfs.sockets import RESERVED_PORTS
from berth.nfs.status import DENIED, GONE, NfsError, RootGone, Status

__all__ = [
    "DENIED", "GONE", "LOCKD", "MOUNTD", "NFS3", "NFS4", "NFS_PORT", "PORTMAPPER", "PORTMAPPER_PORT", "PROGRAM_NAMES",
    "RESERVED_PORTS", "ROOT", "START", "STATD", "Attributes", "CallRejected", "ConnectFailed", "Connection",
    "ConnectionLost", "DirectoryEntry", "Identity", "LookThen", "NfsError", "NfsNode", "Offered", "OpenThen",
    "Position", "ReadThen", "Registration", "RemoveThen", "Resolver", "RootGone", "RpcError", "Servers", "Session",
    "Status", "Then", "Unresolved", "Withheld", "connected", "locks", "mount", "ping", "portmapper", "spelling", "v3",
    "v4",
]  # fmt: skip
