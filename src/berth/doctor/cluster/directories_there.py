"""PVs whose directories are gone, directories that no PV names, sizes that add up to more than there is: the shares are
asked, each with a deadline.

Directories are listed, never walked: one call for each directory that volumes lie in. What this host may not see, or a
share that hangs, is told. Berth's own records on a share say whose a directory was.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field

from berth.doctor.cluster.displaced import look_for_displaced
from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject, Unseen
from berth.objects import kinds
from berth.objects.locations import normal
from berth.objects.quantity import to_bytes
from berth.objects.translation import SHARE, location_of, provisioned_by
from berth.shares.choose import Shares
from berth.texts.text import Text, same
from berth.volumes.errors import Missing, Refused, Unavailable, VolumeError
from berth.volumes.naming import ARCHIVED, HOME, VOLUMES, record_path, recorded_name
from berth.volumes.parameters import share_address
from berth.volumes.records import decode
from berth.volumes.share import Share, ShareAddress

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


async def look_at_shares(snapshot: Snapshot, provisioners: Provisioners) -> AsyncIterator[Finding | Unseen]:
    """What the shares that PVs lie on say."""
    if not snapshot.sees("persistentvolumes"):
        return
    used = list(shares_of(snapshot, provisioners))
    shares = Shares(timeout=DEADLINE - 0.5)
    tasks = [
        asyncio.create_task(_look_at(shares, each, snapshot), name=f"looking at {each.address}")
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
    """Each share with PVs that a provisioner made on it, and those of provisioners that don't run.

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
    for provisioner in provisioners.known:
        if provisioner.share and not provisioner.is_running:  # what it can't mount may be seen from here
            address = ShareAddress(provisioner.server, normal(provisioner.export))
            found.setdefault(address, _Used(address))
    return iter(found.values())


def _export_of(volume: kinds.VolumeObject, server: str, path: str, exports: Iterable[tuple[str, str]]) -> str:
    said = volume.annotations.get(SHARE, "").partition(":/")
    if said[1] and path.startswith(normal("/" + said[2]).rstrip("/") + "/"):
        return normal("/" + said[2])
    inside = [
        export for name, export in exports if name == server.lower() and path.startswith(export.rstrip("/") + "/")
    ]
    return max(inside, key=len, default="")


async def _look_at(shares: Shares, used: _Used, snapshot: Snapshot) -> list[Finding | Unseen]:
    try:
        async with asyncio.timeout(DEADLINE):
            return [*await _compare(shares, used, snapshot)]
    except (VolumeError, TimeoutError) as error:
        share = Subject("share", str(used.address))
        if isinstance(error, Unavailable) and error.stage == "mount" and "NOENT" in error.status:
            server, evidence = used.address.server, [str(error)]
            return [find("mount-path-missing", share, variant="share", server=server, evidence=evidence)]
        late = Text(f"no answer within {DEADLINE:g} s", f"{DEADLINE:g} 秒内没有应答")
        said = same(error.brief if isinstance(error, Unavailable) else str(error))
        return [Unseen(share.text, late if isinstance(error, TimeoutError) else said, about=share)]


async def _compare(shares: Shares, used: _Used, snapshot: Snapshot) -> list[Finding | Unseen]:
    share = await shares.get(used.address)
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
                number=len(strangers),
                directories=strangers[:_NAMED],
            )
        )
    return [*found, *_promised(used, (await share.space()).total_bytes)]


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
