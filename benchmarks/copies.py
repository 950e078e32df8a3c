"""A hundred thousand volumes in a minute or two: one is made as any other, and copied where it is stored.

Through the API a volume takes seven writes, and a hundred thousand take most of an hour. So the bytes that the API
server wrote into etcd for one bound claim and its PV are written again under other names of the same length, and so are
the directory and the record on the share. Who reads them can't tell them apart from others.
"""

from __future__ import annotations

import asyncio
import base64
import json
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.existing import make_existing
from benchmarks.rig import EXPORT, Rig
from berth.objects.kinds import ClaimObject, VolumeObject

_FIRST = 100_000
"""Numbers of six digits, all of them: names of one length."""
_AT_ONCE = 100
"""Objects that are put into the store in one transaction; etcd allows 128."""


@dataclass(frozen=True, slots=True)
class _Original:
    """What is copied: names that are replaced, and where they stand."""

    namespace: str
    claim: str
    claim_uid: str
    pv_uid: str
    stored: tuple[tuple[bytes, bytes], ...]
    """(key, value) of the claim and of its PV in etcd."""
    directory: str
    record: str

    def copy(self, number: int) -> tuple[Iterator[tuple[bytes, bytes]], str, str]:
        """(key, value) of a copy's objects, its directory's name, its record."""
        uid, pv_uid, claim = str(uuid.uuid4()), str(uuid.uuid4()), f"claim-{number}"

        def rename(text: bytes) -> bytes:
            for old, new in ((self.claim_uid, uid), (self.pv_uid, pv_uid), (self.claim, claim)):
                text = text.replace(old.encode(), new.encode())
            return text

        objects = ((rename(key), rename(value)) for key, value in self.stored)
        return objects, rename(self.directory.encode()).decode(), rename(self.record.encode()).decode()


async def make_copies(rig: Rig, namespace: str, count: int) -> None:
    """So many bound claims with their volumes; the controller manager is paused meanwhile."""
    manager = rig.cluster.controller_manager
    await make_existing(rig, namespace, 1, first=_FIRST)
    await asyncio.to_thread(manager.pause)
    try:
        await asyncio.to_thread(_copy, rig, await _original(rig, namespace), count - 1)
    finally:
        await asyncio.to_thread(manager.resume)


async def _original(rig: Rig, namespace: str) -> _Original:
    name = f"claim-{_FIRST}"
    claim = await rig.api.get(ClaimObject, name, namespace=namespace)
    volume = await rig.api.get(VolumeObject, claim.spec.volumeName or "")
    keys = (f"persistentvolumeclaims/{namespace}/{name}", f"persistentvolumes/{volume.name}")
    stored = [(f"/registry/{key}".encode(), _read(rig, f"/registry/{key}")) for key in keys]
    record = _share(rig) / ".berth" / "volumes" / f"{volume.name}.json"
    directory = volume.spec.nfs.path.rpartition("/")[2] if volume.spec.nfs else ""
    return _Original(
        namespace, name, claim.metadata.uid, volume.metadata.uid, tuple(stored), directory, record.read_text()
    )


def _copy(rig: Rig, original: _Original, count: int) -> None:
    share, puts = _share(rig), list[dict[str, Any]]()
    for number in range(_FIRST + 1, _FIRST + 1 + count):
        objects, directory, record = original.copy(number)
        (share / directory).mkdir(mode=0o777)
        (share / ".berth" / "volumes" / f"{json.loads(record)['pv']}.json").write_text(record)
        puts += [{"requestPut": {"key": _text(key), "value": _text(value)}} for key, value in objects]
        if len(puts) >= _AT_ONCE:
            _ask(rig, "/v3/kv/txn", {"success": puts})
            puts = []
    if puts:
        _ask(rig, "/v3/kv/txn", {"success": puts})


def _share(rig: Rig) -> Path:
    return rig.cluster.nfs.directory_of(EXPORT)


def _read(rig: Rig, key: str) -> bytes:
    found = _ask(rig, "/v3/kv/range", {"key": _text(key.encode())})
    return base64.b64decode(found["kvs"][0]["value"])


def _ask(rig: Rig, path: str, body: dict[str, Any]) -> Any:
    url = next(a.partition("=")[2] for a in rig.cluster.etcd.argv if a.startswith("--listen-client-urls="))
    request = urllib.request.Request(url + path, data=json.dumps(body).encode(), method="POST")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=60) as answer:
        return json.load(answer)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
