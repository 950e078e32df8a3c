"""Starts Berth in its image as nobody in particular, with no right but to call from reserved ports.

Servers that export with `secure`, the default, take requests only from ports below 1024. Tried with containerd 1.6 and
runc 1.1, for a user that is not root:
- `capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}` alone gives nothing: the container's first process has the
  capability, and loses it when it becomes the program, unless the program's file has it, too. Python's has, in there.
- It must not be "effective" on the file as well: the kernel would refuse to start the program (EPERM) wherever a pod
  drops all capabilities and adds none. So it is only permitted, and is raised here where there is one to raise.
- `allowPrivilegeEscalation: false` (no_new_privs) does no harm: the program gains nothing that its starter lacked.
  So this works on every Kubernetes, and under the Pod Security Standard "restricted".
- The pod's sysctl net.ipv4.ip_unprivileged_port_start=0 does it, too, with no capability at all. Kubelets take it for
  safe since Kubernetes 1.22 and refuse the pod before that (SysctlForbidden); pods with hostNetwork can't have it.
Without either, Berth calls from an ordinary port.

The image names no user: Deployments that were written for nfs-client-provisioner name none either. Where the pod says
none, this is root at first, and stays root only where the share is mounted: what is done in a mounted directory is done
as the user who does it, and there that has to be root as it always was.
"""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path
from typing import Any

from berth.cli.main import main

NOBODY = 65532
NET_BIND_SERVICE = 1 << 10
_CAPABILITIES = struct.pack("<Ii", 0x20080522, 0)
_KEEPCAPS, _DUMPABLE = 8, 4


def leave_root() -> None:
    """Becomes nobody, unless it is somebody already or there is a mounted share to work in."""
    if os.geteuid() != 0 or os.path.ismount(os.environ.get("BERTH_MOUNTED_AT") or "/persistentvolumes"):
        return
    _libc().prctl(_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def take_up() -> None:
    """Puts NET_BIND_SERVICE into effect, if it is permitted, and gives up whatever else is; does nothing as root."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    permitted = int(status["CapPrm"], 16)
    if os.geteuid() == 0 or not permitted:
        return
    kept = permitted & NET_BIND_SERVICE
    if _libc().capset(_CAPABILITIES, struct.pack("<6I", kept, kept, 0, 0, 0, 0)):
        print("berth: capset failed; servers that export with `secure` will refuse its calls", file=sys.stderr)
    # Who starts with a capability of a file may not look into its own /proc/self/fd, which metrics count.
    _libc().prctl(_DUMPABLE, 1, 0, 0, 0)


def _libc() -> Any:
    import ctypes  # a megabyte, which most pods can do without

    return ctypes.CDLL(None)


if __name__ == "__main__":
    leave_root()
    take_up()
    sys.argv[0] = "berth"
    main()
