"""Putting objects into a cluster and taking them out: by server-side apply, in order, each told as it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from berth.kube.errors import Conflict, NotFound
from berth.kube.manifest import Manifest, ManifestApi, place_of
from berth.operations.changes import changes

MANAGER = "berth"
"""Whose fields these are, in metadata.managedFields."""

_TRIES = 5
"""Against writers that come in between, which is over in a moment."""


@dataclass(frozen=True, slots=True)
class Applied:
    """One object, and what became of it: `created`, `changed`, `unchanged`, `removed` or `absent`; `kept`: somebody
    else's, and left as it is; of a class, `default` or `no default` any more.
    """

    kind: str
    key: str
    what: str


Told = Callable[[Applied], None]


async def apply_all(api: ManifestApi, manifests: Iterable[Manifest], told: Told) -> list[Applied]:
    """Applies them one after the other; a KubeError ends it, and what was applied until then stays. Repeatable."""
    done = []
    for manifest in manifests:
        done.append(await apply_one(api, manifest))
        told(done[-1])
    return done


async def apply_one(api: ManifestApi, manifest: Manifest) -> Applied:
    """Applies one object. KubeError."""
    where = place_of(manifest)
    try:
        before: dict[str, Any] | None = await api.read(where)
    except NotFound:
        before = None
    after = await _apply(api, manifest)
    kind = manifest["kind"]
    if before is None:
        return Applied(kind, where.key, "created")
    is_changed = changes(kind, where.key, before, after, manager=MANAGER)
    return Applied(kind, where.key, "changed" if is_changed else "unchanged")


async def remove_one(api: ManifestApi, manifest: Manifest) -> Applied:
    """Removes one object, of which only kind and name are read. Absent is fine. KubeError."""
    where = place_of(manifest)
    try:
        await api.remove(where)
    except NotFound:
        return Applied(manifest["kind"], where.key, "absent")
    return Applied(manifest["kind"], where.key, "removed")


async def _apply(api: ManifestApi, manifest: Manifest) -> dict[str, Any]:
    for _ in range(_TRIES - 1):
        try:
            return await api.apply(manifest, manager=MANAGER)
        except Conflict:
            await asyncio.sleep(0.2)
    return await api.apply(manifest, manager=MANAGER)
