"""The locks of old provisioners: a record on an Endpoints object (library up to version 8), or a Lease (newer ones).

Nobody gives them back: whoever held one is gone when it is no longer renewed for as long as it lasts, by our own clock.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from berth.kube.errors import NotFound
from berth.kube.leader import lock_name
from berth.kube.manifest import ManifestApi, place
from berth.kube.oldlock import ANNOTATION, read_record
from berth.operations.polling import EVERY, poll

_LONGEST = 60.0
"""Seconds for which a lock that is not renewed is waited for beyond patience, whatever its record says."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lock that somebody holds: by its record, as it was written last."""

    where: str
    """`Endpoints kube-system/fuseim.pri-ifs`."""
    namespace: str
    holder: str
    lasts: float
    record: str
    """Its whole text: another one means that it was renewed."""


async def read_locks(api: ManifestApi, provisioner: str, namespace: str) -> list[Held]:
    """Who holds a provisioner's locks in a namespace, of either kind. KubeError."""
    name = lock_name(provisioner)
    found = []
    for kind, version in (("Endpoints", "v1"), ("Lease", "coordination.k8s.io/v1")):
        try:
            one = await api.read(place(version, kind, name, namespace))
        except NotFound:
            continue
        text = _written(one, kind)
        record = read_record(text)
        if record is not None and not record.is_of_long_ago:
            where, lasts = f"{kind} {namespace}/{name}", record.leaseDurationSeconds or 15
            found.append(Held(where, namespace, record.holderIdentity, lasts, text))
    return found


async def places_of_leases(api: ManifestApi, provisioners: Iterable[str]) -> list[tuple[str, str]]:
    """Where in the cluster there are Leases of these provisioners: (provisioner, namespace). KubeError."""
    names = {lock_name(one): one for one in provisioners}
    leases = (await api.read(place("coordination.k8s.io/v1", "Lease")))["items"]
    return [
        (names[one["metadata"]["name"]], one["metadata"]["namespace"])
        for one in leases
        if one["metadata"]["name"] in names
    ]


async def wait_free(
    api: ManifestApi,
    locks: Sequence[tuple[str, str]],
    *,
    but: str,
    patience: float,
    progress: Callable[[Held], None],
) -> Held | None:
    """Returns None once nobody holds any of these locks (provisioner, namespace); who still does when patience is over.

    but: holders whose names begin so are not waited for (Berth's own pods); empty for none. patience: seconds; a lock
    that nobody renews is waited for longer, until that shows (at most a minute). progress: told of each holder that is
    waited for.
    """
    clock = asyncio.get_running_loop().time
    seen: dict[str, tuple[str, float]] = {}
    end = clock() + patience

    async def look() -> Held | None:
        nonlocal end
        held = None
        for provisioner, namespace in locks:
            for one in await read_locks(api, provisioner, namespace):
                if but and one.holder.startswith(but):
                    continue
                record, since = seen.get(one.where, ("", 0.0))
                if not record:
                    progress(one)
                    end = max(end, clock() + min(one.lasts, _LONGEST) + EVERY)
                if one.record != record:
                    seen[one.where] = one.record, clock()
                    held = one
                elif clock() < since + one.lasts:
                    held = one
        return held

    return await poll(look, until=lambda held: held is None or clock() >= end, patience=math.inf)


async def wait_led(
    api: ManifestApi,
    *,
    patience: float,
    locks: Callable[[], Awaitable[Sequence[tuple[str, str]]]],
    counts: Callable[[Held], Awaitable[bool]],
) -> Held | None:
    """Who holds a Lease, once he was seen to renew it; None when nobody did before patience was over.

    locks: awaited before each look; which locks (provisioner, namespace) count. It may tell what takes so long.
    counts: whether it is one of those who are waited for that holds it.
    """
    first: dict[str, str] = {}

    async def look() -> Held | None:
        for provisioner, namespace in await locks():
            for one in await read_locks(api, provisioner, namespace):
                is_renewed = one.where.startswith("Lease ") and one.record != first.setdefault(one.where, one.record)
                if is_renewed and await counts(one):
                    return one
        return None

    return await poll(look, until=lambda held: held is not None, patience=patience)


def _written(one: dict[str, Any], kind: str) -> str:
    """Its record, as JSON."""
    if kind == "Lease":
        return json.dumps(one.get("spec"), sort_keys=True)
    return str((one["metadata"].get("annotations") or {}).get(ANNOTATION, ""))
