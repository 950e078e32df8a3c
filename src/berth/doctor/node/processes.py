"""Traces of trouble that others had: processes that wait for a server, and what the kernel's log says of NFS."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

from berth.aio import command
from berth.doctor.explain import Explainer
from berth.doctor.known import find
from berth.doctor.node.host import Host
from berth.doctor.run import Check, CouldNotLookError
from berth.findings.finding import Finding, Subject, Unseen
from berth.texts.text import Text

_WAITS = ("nfs", "rpc_", "lockd", "nlm")
"""How functions are called in which the kernel waits for a server."""
_SHOWN = 20
_DEADLINE = 5.0
_LIVE = frozenset({"server-not-responding"})
"""What the log tells of the past, and the mounts tell of now."""


async def _look_for_waiting(host: Host) -> AsyncIterator[Finding | Unseen]:
    stuck = [process for process in host.processes() if process.state == "D"]
    waiting = [process for process in stuck if host.waits_in(process).startswith(_WAITS)]
    if waiting:
        shown = waiting[:_SHOWN]
        evidence = [f"{process.name} ({process.pid}): {host.waits_in(process)}" for process in shown]
        about = [Subject("process", f"{process.name} ({process.pid})") for process in shown]
        names = tuple(subject.name for subject in about)
        yield find("processes-wait", *about, evidence=evidence, processes=names, number=len(waiting))


async def _look_at_kernel_log(host: Host) -> AsyncIterator[Finding | Unseen]:
    try:
        result = await command.run(["dmesg", "--time-format", "iso"], deadline=_DEADLINE)
    except command.CommandFailed as error:
        if "not permitted" not in error.stderr:
            raise
        raise CouldNotLookError(Text("only root may read the kernel's log", "只有 root 能读取内核日志")) from error
    explainer = Explainer()
    explainer.read(io.BytesIO(result.stdout.encode()))
    for finding in explainer.explain().report.findings:
        if finding.id not in _LIVE:
            yield finding


CHECKS: tuple[Check[Host], ...] = (
    Check("node-processes", Text("processes that wait for NFS", "等待 NFS 的进程"), _look_for_waiting),
    Check("node-kernel-log", Text("the kernel's log", "内核日志"), _look_at_kernel_log),
)
