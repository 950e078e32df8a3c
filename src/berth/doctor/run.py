"""Checks, run side by side, each with a deadline: one that fails, is denied or hangs costs its own answer only.

A check yields what it finds while it looks, so what it found before its deadline counts. Whatever a check can't look at
becomes an Unseen with the reason. Cancelling run cancels all checks, and waits until each has cleaned up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from berth.aio.command import CommandError
from berth.findings.finding import Finding, Report, Unseen, report
from berth.kube.errors import Forbidden, KubeError, Unauthorized, Unreachable
from berth.nfsserver.errors import told as command_told
from berth.texts.phrases import bilingual
from berth.texts.text import Text
from berth.texts.visible import fact

C = TypeVar("C")
"""What checks look at: the cluster, this host, a share. Each group of checks has its own."""

DEADLINE = 13.0
"""Seconds for all checks together: the doctor has promised an answer within 15."""
_CLEANING_UP = 1.0
"""Seconds that a check has to put its things away after its deadline, before it is left behind."""

Progress = Callable[[int, int, Sequence[str]], None]
"""Told at each change: how many checks are done, out of how many, and the ids of those still looking."""


class CouldNotLookError(Exception):
    """A check that raises it could not look, for a reason that a person understands."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.en)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Check(Generic[C]):
    """One question to ask. look changes nothing, keeps no thread busy that may hang, and can be cancelled anywhere."""

    id: str
    """Kebab case, unique among all checks: `claims-pending`."""
    looks_at: Text
    """What it looks at, for `berth doctor list` and for the Unseen if it can't: `claims that stay Pending`."""
    look: Callable[[C], AsyncIterator[Finding | Unseen]]
    deadline: float = 10.0


async def run(
    checks: Sequence[Check[C]], context: C, *, deadline: float = DEADLINE, progress: Progress | None = None
) -> Report:
    """Runs the checks side by side on context, and answers what they found. It ends within deadline seconds and the
    moment that cleaning up takes.
    """
    found: list[Finding | Unseen] = []
    looking = {check.id: None for check in checks}

    def tell() -> None:
        if progress is not None:
            progress(len(checks) - len(looking), len(checks), tuple(looking))

    async def ask(check: Check[C]) -> None:
        await _ask(check, context, min(check.deadline, deadline), found)
        del looking[check.id]
        tell()

    tell()
    tasks = [asyncio.create_task(ask(check), name=f"check {check.id}") for check in checks]
    try:
        if tasks:
            await asyncio.wait(tasks, timeout=deadline + _CLEANING_UP)
        late = [check for check in checks if check.id in looking]
        found += [Unseen(check.looks_at, _silence(min(check.deadline, deadline)), check.id) for check in late]
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLEANING_UP)
    findings = [each for each in found if isinstance(each, Finding)]
    unseen = [each for each in found if isinstance(each, Unseen)]
    return report(findings, unseen, (check.id for check in checks))


async def _ask(check: Check[C], context: C, deadline: float, found: list[Finding | Unseen]) -> None:
    try:
        async with asyncio.timeout(deadline):
            async for each in check.look(context):
                found.append(replace(each, check=check.id) if isinstance(each, Unseen) else each)
    except Exception as error:  # noqa: BLE001 - a check that fails must not take the others with it
        reason = _silence(deadline) if isinstance(error, TimeoutError) else why_unseen(error)
        found.append(Unseen(check.looks_at, reason, check.id))


def _silence(seconds: float) -> Text:
    return Text(f"no answer within {seconds:g} s", f"{seconds:g} 秒内没有应答")


def why_unseen(error: Exception) -> Text:
    """Why somebody who got error could not look, in a sentence."""
    match error:
        case CouldNotLookError():
            return error.reason
        case Forbidden():
            return Text(f"not allowed: {fact(error.message)}", f"没有权限：{fact(error.message)}")
        case Unauthorized():
            said = fact(error.message)
            return Text(f"the API server does not know you: {said}", f"API 服务器不认识当前身份：{said}")
        case Unreachable():
            return Text(
                f"the API server {error.server} is unreachable: {error.why}",
                f"无法访问 API 服务器 {error.server}：{bilingual(error.why).zh}",
            )
        case ExceptionGroup():
            return why_unseen(error.exceptions[0])
        case TimeoutError():
            return Text("no answer in time", "没有及时应答")
        case CommandError():
            return command_told(error)  # it has the command between backticks, quoted
        case KubeError():
            return bilingual(str(error))
        case OSError() if error.strerror:
            where = f"{error.filename}: " if error.filename else ""
            return bilingual(f"{where}{error.strerror}")
    said = fact(f"{type(error).__name__}: {error}")
    return Text(f"the check itself failed, which is a bug: {said}", f"检查程序自身出错（属于缺陷）：{said}")
