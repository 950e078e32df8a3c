"""What NFS-Ganesha is told: its exports, and its configuration as text. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Squash = Literal["no_root_squash", "root_squash", "all_squash"]

_SETTINGS = """\
NFS_CORE_PARAM {{
    Bind_Addr = {host};
    NFS_Port = {port};
    MNT_Port = {mountport};
    Protocols = 3, 4;
    mount_path_pseudo = true;
    Enable_UDP = false;
    Enable_NLM = false;
    Enable_RQUOTA = false;
}}
NFSV4 {{
    # No grace period: after a restart the first open would wait for it, and nobody here has locks to reclaim.
    Graceless = true;
    RecoveryBackend = fs;
    RecoveryRoot = "{recovery}";
    Minor_Versions = 0, 1, 2;
    # Owners as numbers, as Linux's own server sends them without Kerberos.
    Only_Numeric_Owners = true;
}}
NFS_KRB5 {{
    Active_krb5 = false;
}}
LOG {{
    Default_Log_Level = EVENT;
}}
"""

_EXPORT = """\
EXPORT {{
    Export_Id = {number};
    Path = "{directory}";
    Pseudo = "{path}";
    Access_Type = {access};
    Squash = {squash};
    Anonymous_Uid = 65534;
    Anonymous_Gid = 65534;
    SecType = sys;
    PrivilegedPort = {reserved};
    Protocols = {protocols};
    # Tests look at the directory, and change it, behind the server's back: it must not trust what it remembers.
    Attr_Expiration_Time = 0;
    FSAL {{
        Name = VFS;
    }}
{clients}}}
"""

_CLIENT = """\
    CLIENT {{
        Clients = {client};
        Access_Type = {access};
    }}
"""


@dataclass(frozen=True, slots=True)
class Export:
    """One exported path, as clients mount it over NFSv3 and v4 alike."""

    path: str = "/export"
    squash: Squash = "no_root_squash"
    read_only: bool = False
    client: str = ""
    """The only address or network that may mount it; empty: everybody."""
    protocols: str = "3, 4"
    reserved_ports: bool = False
    """Take nothing that comes from a port from 1024 on: what Linux's own server does unless told `insecure`."""


def ganesha(host: str, port: int, mountport: int, recovery: Path, exports: Mapping[Export, Path]) -> str:
    """The text of a configuration file. recovery: a folder for what Ganesha remembers; exports: what is behind each."""
    text = _SETTINGS.format(host=host, port=port, mountport=mountport, recovery=recovery)
    for number, (export, directory) in enumerate(exports.items(), 1):
        access = "RO" if export.read_only else "RW"
        text += _EXPORT.format(
            number=number,
            directory=directory,
            path=export.path,
            access="NONE" if export.client else access,
            squash=export.squash,
            reserved="true" if export.reserved_ports else "false",
            protocols=export.protocols,
            clients=_CLIENT.format(client=export.client, access=access) if export.client else "",
        )
    return text
