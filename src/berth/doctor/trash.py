"""What lies in a share's trash and does not go, as the share itself says it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from berth.doctor.known import find
from berth.doctor.messages import known_in
from berth.findings.finding import Finding, Subject
from berth.volumes.errors import Missing
from berth.volumes.naming import record_path
from berth.volumes.records import Record, decode
from berth.volumes.share import Share, ShareAddress
from berth.volumes.trash import Trashed, look_into_trash, named, stuck_text, unowned_text

MOST = 200
"""Entries that are looked at."""


async def read_trash(share: Share) -> list[Trashed]:
    """What lies in the trash of a share, and whose each is, as its record says. VolumeError where that can't be had."""

    async def read(pv: str) -> Record | None:
        try:
            return decode(await share.read_file(record_path(pv)), record_path(pv))
        except Missing:
            return None

    return await look_into_trash(share, read, most=MOST)


def judge_trash(share: ShareAddress, trash: Sequence[Trashed]) -> Iterator[Finding]:
    """What can't be purged, and what nobody will purge. Nothing about what waits for its turn."""
    for each in trash:
        if each.record is not None and each.record.stuck:
            owner = each.record.owner
            whose = {"claim": f"{owner.namespace}/{owner.name}"} if owner.name else {}
            yield from known_in(stuck_text(str(share), each.name, each.record.stuck), whose)
    unowned = [each for each in trash if each.record is None]
    if unowned:
        yield find(
            "trash-unowned",
            Subject("share", str(share)),
            Subject("server", share.server),
            entries=named(unowned),
            export=share.export,
            number=len(unowned),
            evidence=[unowned_text(str(share), unowned)],
        )
