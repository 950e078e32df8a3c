"""The host as an NFS server: what is installed, what runs, what the kernel can do. For init's plan and for status."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

from berth.aio.command import PROGRAMS
from berth.nfsserver.setup.packages import Distribution, detect, missing_from
from berth.nfsserver.setup.services import Init, Kernel, active_firewalls, detect_init, is_enabled, read_kernel


@dataclass(frozen=True, slots=True)
class Machine:
    """What this host has of an NFS server."""

    distribution: Distribution
    missing: tuple[str, ...]
    """Packages of the server that are not installed."""
    init: Init
    is_enabled: bool
    """Does the server start at boot."""
    kernel: Kernel
    firewalls: tuple[str, ...] = ()
    """Firewalls that are on, and may stand between clients and the server."""

    @property
    def is_serving(self) -> bool:
        """Does the kernel's NFS server run."""
        return self.kernel.threads > 0


async def read_machine() -> Machine:
    """The state of this host now. Never raises: what can't be found out counts as not there."""
    distribution = detect(_os_release(), lambda program: shutil.which(program, path=PROGRAMS) is not None)
    init = detect_init()
    missing, enabled, kernel, firewalls = await asyncio.gather(
        missing_from(distribution), is_enabled(init, distribution.family), read_kernel(), active_firewalls()
    )
    return Machine(distribution, missing, init, enabled, kernel, firewalls)


def _os_release() -> str:
    for path in (Path("/etc/os-release"), Path("/usr/lib/os-release")):
        if path.exists():
            return path.read_text("utf-8", "replace")
    return ""
