"""What lies in the trash of a share that Berth uses, and does not go."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

from berth.doctor.share.probed import Probed, of_finding, passed, skipped
from berth.doctor.trash import judge_trash, read_trash
from berth.findings.finding import Finding
from berth.nfs import Resolver
from berth.shares.direct.share import DirectShare
from berth.volumes.errors import VolumeError
from berth.volumes.share import ShareAddress

_NAMED = 3
"""Deleted volumes that wait for their purge, and are named."""


async def look_into_trash(target: ShareAddress, deadline: float) -> list[Probed]:
    """One result for each thing that does not go; else one that says how many volumes wait for their purge."""
    resolver = Resolver(deadline=deadline)
    try:
        async with asyncio.timeout(deadline), aclosing(DirectShare(target, resolver, deadline=deadline)) as share:
            trash = await read_trash(share)
    except (VolumeError, TimeoutError) as error:
        return [skipped("trash", "unseen", why=str(error) or f"no answer within {deadline:g} s")]
    finally:
        await resolver.aclose()
    stuck = [_result(finding) for finding in judge_trash(target, trash)]
    if stuck:
        return stuck
    if not trash:
        return [passed("trash", "empty")]
    names = ", ".join(each.name for each in trash[:_NAMED])
    return [passed("trash", "waiting", number=len(trash), names=names if len(trash) <= _NAMED else f"{names}, …")]


def _result(finding: Finding) -> Probed:
    """A finding of the doctor's as the result of the probe: the share can be used all the same."""
    facts = {"finding": finding.id, "commands": list(finding.commands)}
    return of_finding("trash", replace(finding, severity="warning"), facts)
