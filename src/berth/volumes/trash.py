"""The trash of a share, for whoever looks at it: whose each deleted volume is, and what is known to keep it there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass

from berth.volumes.errors import Missing, Refused
from berth.volumes.naming import TRASH, TRIAL, trash_path
from berth.volumes.records import Record
from berth.volumes.share import Share

_NAMED = 5
"""Entries that are named where there are more."""


@dataclass(frozen=True, slots=True)
class Trashed:
    """A deleted volume that waits to be purged, or something else that lies in the trash."""

    name: str
    """The PV's, for a volume."""
    record: Record | None
    why: str = ""
    """Why nobody knows whose it is, where nobody does; nobody will purge it then."""


async def look_into_trash(
    share: Share, read: Callable[[str], Awaitable[Record | None]], *, most: int | None = None
) -> list[Trashed]:
    """What lies in a share's trash. read: a PV's record, None without one, Refused for one that makes no sense.

    most: of more than so many, it looks at the first only.
    """
    found: list[Trashed] = []
    with suppress(Missing):
        for entry in (await share.list(TRASH, most))[:most]:
            if not entry.name.startswith(TRIAL):
                found += await _look_at(entry.name, share, read)
    return found


async def _look_at(name: str, share: Share, read: Callable[[str], Awaitable[Record | None]]) -> list[Trashed]:
    try:
        record = await read(name)
    except Refused:
        return [Trashed(name, None, "its record can't be read")]
    if record is not None and record.pv != name:
        return [Trashed(name, None, "its record is another PV's")]
    if record is None:
        try:
            await share.stat(trash_path(name))
        except Missing:
            return []  # it was purged in this moment, and its record with it
        return [Trashed(name, None, "it has no record")]
    return [Trashed(name, record)]


def stuck_text(share: str, pv: str, stuck: str) -> str:
    """What a record's `stuck` means, in the words of the error that it comes from."""
    return f"share {share} is unavailable, io failed at {trash_path(pv)!r}: {stuck}"


def unowned_text(share: str, found: Collection[Trashed]) -> str:
    """That nobody will purge these, in one sentence."""
    number = "1 entry" if len(found) == 1 else f"{len(found)} entries"
    return f"share {share}: nobody will purge {number} of {TRASH}: {named(found)}"


def named(found: Collection[Trashed]) -> str:
    """The first of them, each with why nobody knows whose it is, and how many more there are."""
    first = sorted(found, key=lambda each: each.name)[:_NAMED]
    more = f" and {len(found) - len(first)} more" if len(found) > len(first) else ""
    return ", ".join(f"{each.name!r} ({each.why})" for each in first) + more
