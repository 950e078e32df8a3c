"""This host as a node: what kubelet's mount takes here. Run where pods run, as root, for the whole truth.

Everything else that verify does speaks NFS itself; kubelet does not: it runs mount(8), which needs a helper program and
the kernel's client. node-mount really mounts the share, read-only, in a mount namespace of its own, out of which nobody
sees it and with which it goes.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from pathlib import Path

from berth.aio import command
from berth.aio.command import PROGRAMS
from berth.doctor.share.probed import Probed, passed, skipped, wrong
from berth.volumes.share import ShareAddress

MOUNTING = 30.0
"""Seconds for a mount: the kernel takes its time to give up."""

_MOUNT = 'mount -t nfs -o "$1" "$2" "$3" && cat /proc/self/mounts'
_OPTIONS = "ro,soft,timeo=50,retrans=1,retry=0"


async def probe_node(target: ShareAddress, *, needs_statd: bool, is_reachable: bool) -> list[Probed]:
    """Helper program, kernel, lock service, and a mount. needs_statd: only NFSv3 is spoken."""
    helper = _helper()
    kernel = await _kernel()
    found = [helper, kernel]
    if needs_statd:
        has_statd = shutil.which("rpc.statd", path=PROGRAMS)
        found.append(passed("node-statd", "there") if has_statd else wrong("node-statd", "missing"))
    if "failed" in (helper.outcome, kernel.outcome):
        found.append(skipped("node-mount", "hopeless"))
    elif not is_reachable:
        found.append(skipped("node-mount", "unreachable"))
    elif os.geteuid():
        found.append(skipped("node-mount", "no-right", uid=os.geteuid()))
    else:
        found.append(await _mount(target))
    return found


def _helper() -> Probed:
    path = shutil.which("mount.nfs", path=PROGRAMS)
    return passed("node-helper", "there", path=path) if path else wrong("node-helper", "missing")


async def _kernel() -> Probed:
    listed = re.findall(r"^nodev\s+(nfs4?)$", _read_file_systems(), re.MULTILINE)
    release = os.uname().release
    if listed:
        return passed("node-kernel", "there", release=release)
    try:
        await command.run(("modprobe", "--dry-run", "--quiet", "nfs"), deadline=10, env={"PATH": PROGRAMS})
    except command.CommandError:
        return wrong("node-kernel", "missing", release=release)
    return passed("node-kernel", "loadable", release=release)


def _read_file_systems() -> str:
    return Path("/proc/filesystems").read_text()


async def _mount(target: ShareAddress) -> Probed:
    options = _OPTIONS
    options += f",port={target.port}" if target.port else ""
    options += f",mountport={target.mountport}" if target.mountport else ""
    directory = await asyncio.to_thread(tempfile.mkdtemp, prefix="berth-verify-")
    argv = ("unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", _MOUNT, "sh")
    try:
        result = await command.run((*argv, options, str(target), directory), deadline=MOUNTING, env={"PATH": PROGRAMS})
    except command.CommandTimedOut:
        return wrong("node-mount", "silent", share=str(target), deadline=f"{MOUNTING:g}")
    except command.CommandError as error:
        said = " ".join(error.stderr.split()) or str(error)
        if said.startswith("unshare:") or isinstance(error, command.CommandMissing):
            return skipped("node-mount", "no-room", why=said)
        return wrong("node-mount", "failed", share=str(target), said=said)
    finally:
        os.rmdir(directory)
    line = next((line for line in result.stdout.splitlines() if f" {directory} nfs" in line), "")
    version = re.search(r"\bvers=([\d.]+)", line)
    return passed("node-mount", "mounted", share=str(target), version=version[1] if version else "?")
