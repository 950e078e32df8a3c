"""Berth's own directory on a share, `.berth/`: made on first use, recognised afterwards.

`share.json` holds the format version and the share's identity (two spellings of one server lead to one identity);
`clusters/<uid>.json` says which clusters keep volumes here, so that none has to be guessed at.
"""

from __future__ import annotations

import json
import uuid
from contextlib import suppress
from dataclasses import dataclass

from berth.volumes.errors import Missing, Refused, Taken, Unavailable
from berth.volumes.naming import ARCHIVES, CLUSTERS, HOME, SHARE_FILE, TRASH, VOLUMES
from berth.volumes.records import FORMAT, now_text, parse_json
from berth.volumes.share import Share


@dataclass(frozen=True, slots=True)
class Home:
    """What `.berth/` says about one share."""

    share_id: str
    clusters: frozenset[str]
    """UIDs of all clusters that keep volumes on this share, this one included."""


async def open_home(share: Share, cluster: str) -> Home:
    """Reads `.berth/`, making it where it is missing, and enters this cluster. Refused when a newer Berth owns it."""
    try:
        share_id = await _read_id(share)
    except Missing:
        await _make(share)
        share_id = await _read_id(share)
    clusters = await _clusters(share)
    if cluster not in clusters:
        with suppress(Taken):
            content = json.dumps({"format": FORMAT, "cluster": cluster, "since": now_text()}) + "\n"
            await share.write_file(f"{CLUSTERS}/{cluster}.json", content.encode(), exclusive=True)
    return Home(share_id=share_id, clusters=clusters | {cluster})


async def require_home(share: Share) -> None:
    """Raises Unavailable unless `.berth/share.json` is there.

    A share that Berth has worked on before always has it. Without it something else is mounted or exported in the
    share's place, where every volume would look as if it were gone already.
    """
    try:
        await _read_id(share)
    except Missing:
        raise Unavailable(
            str(share.address),
            "mount",
            f"{SHARE_FILE} is gone, though Berth has made volumes here; is the right directory exported and mounted?",
        ) from None


async def _read_id(share: Share) -> str:
    values = parse_json(await share.read_file(SHARE_FILE), SHARE_FILE)
    share_id = values.get("id")
    if not isinstance(share_id, str) or not share_id:
        raise Refused(SHARE_FILE, "has no id")
    return share_id


async def _make(share: Share) -> None:
    for directory in (HOME, VOLUMES, ARCHIVES, TRASH, CLUSTERS):
        await share.make_directory(directory, mode=0o700, adopt=True)
    content = json.dumps({"format": FORMAT, "id": str(uuid.uuid4()), "created": now_text()}) + "\n"
    with suppress(Taken):  # another controller was quicker: its identity counts
        await share.write_file(SHARE_FILE, content.encode(), exclusive=True)


async def _clusters(share: Share) -> frozenset[str]:
    names = [entry.name for entry in await share.list(CLUSTERS)]
    return frozenset(
        name.removesuffix(".json") for name in names if name.endswith(".json") and not name.startswith(".")
    )
