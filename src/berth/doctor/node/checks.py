"""All checks of a node."""

from __future__ import annotations

from pathlib import Path

from berth.doctor.node import client, mounts, names, processes
from berth.doctor.node.host import Host
from berth.doctor.run import Check, Progress, run
from berth.findings.finding import Report

CHECKS: tuple[Check[Host], ...] = (*client.CHECKS, *mounts.CHECKS, *names.CHECKS, *processes.CHECKS)


async def examine(root: Path = Path("/"), *, progress: Progress | None = None) -> Report:
    """What is wrong with the host whose files are below root as a client of NFS."""
    return await run(CHECKS, Host(root), progress=progress)
