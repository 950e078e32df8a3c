"""The programs that make up an NFS server, as (program, version) of the portmapper, and their usual ports."""

from __future__ import annotations

PORTMAPPER = (100000, 2)
NFS3, NFS4 = (100003, 3), (100003, 4)
MOUNTD = (100005, 3)
LOCKD = (100021, 4)
STATD = (100024, 1)
PROGRAM_NAMES = {100000: "portmapper", 100003: "nfs", 100005: "mountd", 100021: "nlockmgr", 100024: "status"}
"""What people call them."""

NFS_PORT, PORTMAPPER_PORT = 2049, 111
