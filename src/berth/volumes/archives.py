"""Archives: released volumes kept in the share's root under names that nobody else has (I6).

An archive's metadata, the record of the volume that it was, is written first and reserves the name: of any number of
controllers, in any number of clusters, one gets it. A reservation that was not used yet is used on the next attempt: it
is found under the volume's own path, or by a pointer that bears the PV's name and is written before it. So one more
archive takes as many calls with ten thousand of its name as with none. A pointer proves nothing, the metadata does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from berth.volumes.errors import Missing, Refused, Taken
from berth.volumes.naming import archive_name, archive_stem, metadata_path, names_pv, pointer_path
from berth.volumes.records import Record, archived, decode, encode
from berth.volumes.share import Share


async def archive(record: Record, share: Share) -> str:
    """Moves the volume's directory to a free `archived-…` name, and answers it. Empty: the directory is gone.

    Missing when Berth's own directory is.
    """
    moment = datetime.now(UTC)
    reserved = await reservations(record, share)
    for name in (*reserved, *_names(record.path, moment)):
        if name not in reserved and not await _reserve(name, archived(record, moment), share):
            continue
        try:
            await share.rename(record.path, name)
        except Taken:
            if name not in reserved:  # somebody made it in between, without metadata
                await share.remove_file(metadata_path(name))
            elif not names_pv(record.path, record.pv):
                return name  # an earlier attempt made it, and what is in the volume's place by now may be another's
            continue
        except Missing:
            return ""
        return name
    raise Refused("archive", f"all names like {archive_stem(record.path)!r}… are taken in the share's root")


async def finished(record: Record, share: Share) -> str:
    """The archive that an earlier attempt made of this volume, now that its directory is no longer in its place; empty
    if there is none. A reservation that will not be used any more is taken back.
    """
    for name in await reservations(record, share):
        if await _exists(name, share):
            return name
        await share.remove_file(metadata_path(name))
        if name != archive_name(record.path):
            await share.remove_file(pointer_path(record.pv))
    return ""


async def reservations(record: Record, share: Share) -> list[str]:
    """The names that are reserved for this very volume. Most volumes have a name that nobody else ever had: then two
    questions to the share are enough.
    """
    base = archive_name(record.path)
    names = [base] if await _is_for(record, base, share) else []
    with suppress(Missing, Refused):
        name = (await share.read_file(pointer_path(record.pv))).decode(errors="replace").strip()
        is_like = name.startswith(archive_stem(record.path)) and name != base and "/" not in name
        if is_like and await _is_for(record, name, share):
            names.append(name)
    return names


def _names(path: str, moment: datetime) -> Iterator[str]:
    yield archive_name(path)
    stamped = f"{archive_stem(path)}-{moment:%Y%m%dT%H%M%SZ}"
    yield stamped
    for count in range(2, 100):
        yield f"{stamped}-{count}"


async def _reserve(name: str, metadata: Record, share: Share) -> bool:
    if await _exists(name, share):  # a reference provisioner's archive has no metadata
        return False
    if name != archive_name(metadata.path):
        await share.write_file(pointer_path(metadata.pv), f"{name}\n".encode())
    try:
        await share.write_file(metadata_path(name), encode(metadata), exclusive=True)
    except Taken:
        return False
    return True


async def _is_for(record: Record, name: str, share: Share) -> bool:
    with suppress(Missing, Refused):
        known = decode(await share.read_file(metadata_path(name)), metadata_path(name))
        return (known.cluster, known.pv) == (record.cluster, record.pv)
    return False


async def _exists(path: str, share: Share) -> bool:
    with suppress(Missing):
        await share.stat(path)
        return True
    return False
