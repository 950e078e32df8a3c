"""The shares are asked, each with a deadline: whether they do their work, PVs whose directories are gone, directories
that no PV names, sizes that add up to more than there is.

Directories are listed, never walked: one call for each directory that volumes lie in. What this host may not see, or a
share that hangs, is told. Berth's own records on a share say whose a directory was.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from berth.doctor.cluster.displaced import look_for_displaced
from berth.doctor.cluster.exported import exported_by
from berth.doctor.cluster.outages import Outage, outage_in, share_key
from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject, Unseen
from berth.objects import kinds
from berth.objects.locations import normal
from berth.objects.quantity import to_bytes
from berth.objects.translation import SHARE, location_of, provisioned_by
from berth.shares.choose import Shares
from berth.texts.phrases import bilingual
from berth.texts.text import Text
from berth.volumes.errors import Missing, Refused, Unavailable, VolumeError
from berth.volumes.naming import ARCHIVED, HOME, VOLUMES, record_path, recorded_name
from berth.volumes.parameters import parse_server, share_address
from berth.volumes.records import decode
from berth.volumes.share import Share, ShareAddress, Space

DEADLINE = 4.0
"""Seconds for one share."""
_MOST_SHARES = 50
_MOST_PARENTS = 200
_SUBJECTS = 20
_NAMED = 10
_FEW = 2
_MOST_RECORDS = 100
_GIB = 2**30
_LIKE_A_VOLUME = re.compile(r".*-pvc-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
"""How the default pattern ends, Berth's and the reference's."""


@dataclass
class _Used:
    """One share, and the PVs on it by their paths below its root."""

    address: ShareAddress
    volumes: dict[str, list[kinds.VolumeObject]] = field(default_factory=dict)


async def ask_shares(
    snapshot: Snapshot, provisioners: Provisioners, asked: dict[str, Outage | None]
) -> AsyncIterator[Finding | Unseen]:
    """What the shares say that are in use. asked: gets of each that answered, or should have, whether it is well."""
    if not snapshot.sees("persistentvolumes"):
        return
    used = list(shares_of(snapshot, provisioners))
    shares = Shares(timeout=DEADLINE - 0.5)
    tasks = [
        asyncio.create_task(_look_at(shares, each, snapshot, asked), name=f"looking at {each.address}")
        for each in used[:_MOST_SHARES]
    ]
    try:
        for task in asyncio.as_completed(tasks):
            for said in await task:
                yield said
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await shares.aclose()


def shares_of(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[_Used]:
    """Each share with PVs that a provisioner made on it, and those that classes and provisioners name.

    PVs made by hand count where they lie directly in such a share: of others nobody knows what is exported.
    """
    exports = {(each.server.lower(), normal(each.export)) for each in provisioners.known if each.share}
    for each in snapshot.classes:
        said = each.parameters or {}
        if said.get("server") and said.get("share"):
            exports.add((said["server"].lower(), normal(said["share"])))
    found: dict[ShareAddress, _Used] = {}
    for volume in snapshot.volumes:
        place = location_of(volume)
        if place is None or volume.metadata.deletionTimestamp:
            continue
        server, path = place[0], normal(place[1])
        export = _export_of(volume, server, path, exports)
        if not export:
            continue
        try:
            address = share_address(server, export, tuple(volume.spec.mountOptions or ()))
        except Refused:
            continue
        below = path[len(export.rstrip("/")) + 1 :]
        if below and (provisioned_by(volume) or "/" not in below):
            found.setdefault(address, _Used(address)).volumes.setdefault(below, []).append(volume)
    known = {share_key(str(each)) for each in found}
    for address in _without_volumes(snapshot, provisioners):
        if share_key(str(address)) not in known:
            known.add(share_key(str(address)))
            found[address] = _Used(address)
    return iter(found.values())


def _without_volumes(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[ShareAddress]:
    """Shares that a class or a provisioner names: what is wrong there is to be known before the first claim."""
    for of_class in snapshot.classes:
        server, _, export = provisioners.share_of(of_class).partition(":/")
        if server:
            with suppress(Refused):
                host = parse_server(server, "server")
                yield share_address(host, normal(f"/{export}"), tuple(of_class.mountOptions or ()))
    for provisioner in provisioners.known:
        if provisioner.share:
            yield ShareAddress(provisioner.server, normal(provisioner.export))


def _export_of(volume: kinds.VolumeObject, server: str, path: str, exports: Iterable[tuple[str, str]]) -> str:
    said = volume.annotations.get(SHARE, "").partition(":/")
    if said[1] and path.startswith(normal("/" + said[2]).rstrip("/") + "/"):
        return normal("/" + said[2])
    inside = [
        export for name, export in exports if name == server.lower() and path.startswith(export.rstrip("/") + "/")
    ]
    return max(inside, key=len, default="")


async def _look_at(
    shares: Shares, used: _Used, snapshot: Snapshot, asked: dict[str, Outage | None]
) -> list[Finding | Unseen]:
    key, found = share_key(str(used.address)), list[Finding | Unseen]()
    try:
        async with asyncio.timeout(DEADLINE):
            share = await shares.get(used.address)
            await share.list("", most=1)
            space = await share.space()
            asked[key] = _full(key, space)
            if used.volumes:
                found += await _compare(share, used, snapshot)
                found += _promised(used, space.total_bytes)
    except (VolumeError, TimeoutError) as error:
        outage = _outage(key, error)
        if outage is not None and outage.failure == "share-not-exported":
            outage = replace(outage, exported=await exported_by(used.address))
        if outage is not None and asked.get(key) is None:
            asked[key] = outage
        elif outage is None:
            about = Subject("share", str(used.address))
            found.append(Unseen(about.text, bilingual(str(error)), about=about))
    return found


def _outage(key: str, error: VolumeError | TimeoutError) -> Outage | None:
    """What is wrong with the share, if that is what the error tells."""
    if isinstance(error, TimeoutError):
        late = Text(f"no answer within {DEADLINE:g} s", f"{DEADLINE:g} 秒内没有应答")
        return Outage(key, "share-hangs", late)
    found = outage_in(str(error)) if isinstance(error, Unavailable) else None
    return replace(found, share=key, is_asked=True) if found is not None else None


def _full(key: str, space: Space) -> Outage | None:
    if space.total_bytes > 0 and space.free_bytes <= 0:
        return Outage(key, "share-full", Text("no space is left", "没有剩余空间"))
    if space.total_inodes > 0 and space.free_inodes <= 0:
        return Outage(key, "share-full", Text("no inodes are left", "没有剩余的 inode"))
    return None


async def _compare(share: Share, used: _Used, snapshot: Snapshot) -> list[Finding | Unseen]:
    parents: defaultdict[str, list[str]] = defaultdict(list)
    for path in used.volumes:
        parents[path.rpartition("/")[0]].append(path)
    there: dict[str, set[str]] = {}

    async def look(parent: str) -> None:
        try:
            entries = await share.list(parent)
            there[parent] = {entry.name for entry in entries if entry.kind == "directory"}
        except Missing:
            there[parent] = set()

    wanted = dict.fromkeys(["", *parents])
    await asyncio.gather(*(look(parent) for parent in list(wanted)[:_MOST_PARENTS]))
    lost = [
        path
        for parent, paths in parents.items()
        for path in paths
        if parent in there and path.rpartition("/")[2] not in there[parent]
    ]
    found: list[Finding | Unseen] = []
    if len(lost) == len(used.volumes) > _FEW:
        found.append(_all_missing(used))
    else:
        known = await look_for_displaced(share, used.volumes, snapshot.uid, frozenset(snapshot.volume_of))
        found += known.values()
        found += [
            _missing(used.address, path, volume)
            for path in lost
            for volume in used.volumes[path]
            if volume.name not in known
        ]
    strangers = sorted({*_strangers(there[""], used, snapshot), *await _recorded(share, there[""], snapshot)})
    if strangers:
        found.append(
            find(
                "directory-without-volume",
                Subject("share", str(used.address)),
                variant="several",
                number=len(strangers),
                directories=strangers[:_NAMED],
            )
        )
    return found


def _promised(used: _Used, total: int) -> Iterator[Finding]:
    """Sizes that add up to more than the share has: there it matters that nothing enforces them."""
    bound = [each for volumes in used.volumes.values() for each in volumes if each.status.phase == "Bound"]
    promised = sum(_bytes_of(each) for each in bound)
    if promised > total > 0:
        yield find(
            "size-not-enforced",
            Subject("share", str(used.address)),
            number=len(bound),
            promised=f"{promised / _GIB:,.0f} GiB",
            total=f"{total / _GIB:,.0f} GiB",
        )


def _bytes_of(volume: kinds.VolumeObject) -> int:
    try:
        return to_bytes((volume.spec.capacity or {}).get("storage", "0"))
    except ValueError:
        return 0


async def _recorded(share: Share, names: set[str], snapshot: Snapshot) -> list[str]:
    """Directories in the root that Berth made for PVs of this cluster which are gone, as its records say."""
    try:
        entries = await share.list(VOLUMES)
    except VolumeError:
        return []  # no Berth has been here, or it lets nobody look
    gone = [pv for each in entries if (pv := recorded_name(each.name)) and pv not in snapshot.volume_of]

    async def read(pv: str) -> str:
        try:
            record = decode(await share.read_file(record_path(pv)), record_path(pv))
        except VolumeError:
            return ""
        return record.path if record.cluster == snapshot.uid and not record.archived else ""

    paths = await asyncio.gather(*(read(pv) for pv in gone[:_MOST_RECORDS]))
    return [path for path in paths if path in names]


def _all_missing(used: _Used) -> Finding:
    names = [each.name for volumes in used.volumes.values() for each in volumes]
    about = [Subject("share", str(used.address)), *(Subject("volume", name) for name in names)]
    return find("share-emptied", *about, number=len(names))


def _missing(address: ShareAddress, path: str, volume: kinds.VolumeObject) -> Finding:
    claim = volume.spec.claimRef
    about = [Subject("volume", volume.name), Subject("share", str(address))]
    if claim is not None:
        about.append(Subject("claim", f"{claim.namespace}/{claim.name}"))
    hint = claim.name if claim is not None else volume.name
    return find("volume-directory-missing", *about, variant={"claim": claim is not None}, directory=path, hint=hint)


def _strangers(names: set[str], used: _Used, snapshot: Snapshot) -> Iterator[str]:
    """Directories in the root that look like volumes, and in which no PV of this cluster lies."""
    tops = {path.partition("/")[0] for path in used.volumes}
    for volume in snapshot.volumes:
        place = location_of(volume)
        if place is not None:
            tops.add(place[1].rpartition("/")[2])
    for name in names - tops:
        if name != HOME and not name.startswith(ARCHIVED) and _LIKE_A_VOLUME.match(name):
            yield name
