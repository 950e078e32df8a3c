"""What Berth keeps on a share: whether `.berth/` is whole, and its records can be read. Only looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from berth.doctor.share.probed import Probed, passed, skipped, wrong
from berth.shares.choose import Shares
from berth.volumes.errors import Missing, Refused, VolumeError
from berth.volumes.metadata_dir import MetadataDir, find_metadata_dir
from berth.volumes.naming import ARCHIVES, DIRECTORIES, HOME, SHARE_FILE, TRASH, VOLUMES, record_path, recorded_name
from berth.volumes.records import Record, decode
from berth.volumes.share import Share, ShareAddress

MOST_READ = 500
"""Records that are read."""
_AT_ONCE = 32
_NAMED = 5


async def look_into_home(target: ShareAddress, deadline: float) -> list[Probed]:
    """One result for each thing that is wrong with it, or one that nothing is."""
    shares = Shares(timeout=deadline)
    try:
        async with asyncio.timeout(deadline):
            share = await shares.get(target)
            return [each async for each in _look(share)]
    except (VolumeError, TimeoutError) as error:
        why = f"no answer within {deadline:g} s" if isinstance(error, TimeoutError) else str(error)
        return [skipped("records", "unseen", why=why)]
    finally:
        await shares.aclose()


async def _look(share: Share) -> AsyncIterator[Probed]:
    kinds = {entry.name: entry.kind for entry in await share.list("")}
    if HOME not in kinds:
        yield skipped("records", "none")
        return
    if kinds[HOME] != "directory":
        yield wrong("records", "in-the-way", path=HOME, kind=kinds[HOME])
        return
    there = {f"{HOME}/{entry.name}": entry.kind for entry in await share.list(HOME)}
    is_well = True
    for path in DIRECTORIES[1:]:
        if there.get(path, "directory") != "directory":
            is_well = False
            yield wrong("records", "in-the-way", path=path, kind=there[path])
        elif path not in there:
            is_well = False
            yield wrong("records", "hole", path=path)
    metadata: MetadataDir | None = None
    if there.get(SHARE_FILE) is None:
        is_well = False
        yield wrong("records", "no-identity", path=SHARE_FILE)
    else:
        try:
            metadata = await find_metadata_dir(share)
        except Refused as refusal:
            is_well = False
            yield wrong("records", "bad-identity", path=SHARE_FILE, why=str(refusal))
    if there.get(VOLUMES) == "directory":
        names = [name for entry in await share.list(VOLUMES) if (name := recorded_name(entry.name))]
        bad = await _unreadable(names[:MOST_READ], share)
        if bad:
            is_well = False
            yield wrong("records", "unreadable", count=len(bad), files=", ".join(bad[:_NAMED]))
        if is_well:
            counts = {"volumes": len(names), "clusters": len(metadata.clusters) if metadata is not None else 0}
            for key, path in (("trash", TRASH), ("archives", ARCHIVES)):
                counts[key] = len(await share.list(path))
            yield passed("records", "whole", **counts)


async def _unreadable(names: list[str], share: Share) -> list[str]:
    bad: list[str] = []
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        answers = await asyncio.gather(*(_is_bad(name, share) for name in some))
        bad += [record_path(name) for name, is_bad in zip(some, answers, strict=True) if is_bad]
    return bad


async def _is_bad(name: str, share: Share) -> bool:
    try:
        record: Record = decode(await share.read_file(record_path(name)), record_path(name))
    except Missing:
        return False
    except Refused:
        return True
    return record.pv != name
