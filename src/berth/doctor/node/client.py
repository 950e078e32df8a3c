"""What a host needs before it can mount NFS at all: a helper program, a kernel that knows it, and statd for NFSv3."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

from berth.doctor.known import find
from berth.doctor.node.host import Host
from berth.doctor.run import Check
from berth.findings.finding import Finding, Subject, Unseen
from berth.nfsserver.setup.packages import Family, detect, install_commands
from berth.texts.command import Shell
from berth.texts.text import Text

_PACKAGES: dict[Family, str] = {
    "apt": "nfs-common",
    "dnf": "nfs-utils",
    "yum": "nfs-utils",
    "zypper": "nfs-client",
    "apk": "nfs-utils",
}


def _name() -> Subject:
    return Subject("host", os.uname().nodename)


async def _look_for_helper(host: Host) -> AsyncIterator[Finding | Unseen]:
    if host.find_program("mount.nfs"):
        return
    release = host.path("/etc/os-release")
    found = detect(release.read_text("utf-8", "replace") if release.exists() else "", host.find_program)
    install = None
    if found.family is not None:
        install = Shell(" && ".join(each.line for each in install_commands(found.family, [_PACKAGES[found.family]])))
    which = {"missing": True, "install": install}
    yield find("mount-helper-missing", _name(), variant=which, missing="/sbin/mount.nfs", install=install)


async def _look_at_kernel(host: Host) -> AsyncIterator[Finding | Unseen]:
    known = host.path("/proc/filesystems").read_text().split()
    if "nfs" in known or "nfs4" in known:
        return
    kernel = host.path("/proc/sys/kernel/osrelease").read_text().strip()
    for table in ("modules.dep", "modules.builtin"):
        path = host.path(f"/lib/modules/{kernel}/{table}")
        if path.exists() and "/fs/nfs/nfs.ko" in path.read_text():
            return
    yield find("kernel-no-nfs", _name(), variant="kernel", kernel=kernel)


async def _look_for_statd(host: Host) -> AsyncIterator[Finding | Unseen]:
    needing = [mount for mount in host.nfs_mounts if mount.version == "3" and not mount.first_of("nolock")]
    if not needing or any(process.name == "rpc.statd" for process in host.processes()):
        return
    about = [Subject("mount", mount.point) for mount in needing]
    yield find("statd-missing", *about, variant="mount", here=needing[0].point, share=needing[0].source)


CHECKS: tuple[Check[Host], ...] = (
    Check("node-helper", Text("the program that mounts NFS", "挂载 NFS 的程序"), _look_for_helper),
    Check("node-kernel", Text("the kernel's NFS client", "内核的 NFS 客户端"), _look_at_kernel),
    Check("node-statd", Text("rpc.statd, for NFSv3 mounts", "NFSv3 挂载所需的 rpc.statd"), _look_for_statd),
)
