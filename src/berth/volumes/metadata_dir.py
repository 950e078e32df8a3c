"""Berth's own directory on a share, `.berth/`: made on first use, recognised afterwards.

`share.json` holds the format version and the share's identity (two spellings of one server lead to one identity);
`clusters/<uid>.json` says which clusters keep volumes here, so that none has to be guessed at.
"""

from __future__ import annotations

import json
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace

from berth.texts.command import command
from berth.volumes.errors import Missing, Refused, Taken, Unavailable
from berth.volumes.naming import CLUSTERS, DIRECTORIES, HOME, SHARE_FILE, TRASH, recorded_name
from berth.volumes.records import FORMAT, now_text, parse_json
from berth.volumes.share import Share, ShareAddress

_RIGHT_ONE = "is the right directory exported and mounted?"


@dataclass(frozen=True, slots=True)
class MetadataDir:
    """What `.berth/` says about one share."""

    share_id: str
    clusters: frozenset[str]
    """UIDs of all clusters that keep volumes on this share."""
    identity: bytes = b""
    """Of `.berth/` itself, see Entry.identity: by whatever name it is found."""
    root_device: int = 0
    trash_device: int = 0
    """The file systems of the share's root, where archives go, and of the trash, see Entry.device."""


class MetadataDirs:
    """What one cluster knows of `.berth/` on the shares that it uses: each is opened once."""

    def __init__(self, cluster: str, *, former: frozenset[str] = frozenset()) -> None:
        """former: names under which the same cluster may have used shares before."""
        self._cluster = cluster
        self._former = former
        self._known: dict[ShareAddress, MetadataDir] = {}
        self._ids: dict[ShareAddress, str] = {}
        """The identity by which each share was known first, or since doubt told of another."""

    async def open(self, share: Share) -> MetadataDir:
        """The share's home, made where it is missing."""
        return self._known.get(share.address) or await self.reopen(share)

    async def reopen(self, share: Share) -> MetadataDir:
        """Looks again, and mends what is missing. Unavailable where it makes no sense: no claim is to blame for that,
        and it is tried again until somebody has put it right.
        """
        try:
            metadata = await open_metadata_dir(share, self._cluster)
        except Refused as refusal:
            look = command("berth doctor share {share}", share=share.address)
            raise Unavailable(str(share.address), "io", f"{refusal}; see `{look}`") from refusal
        for name in metadata.clusters & self._former:
            with suppress(Missing):
                await share.remove_file(f"{CLUSTERS}/{name}.json")
        metadata = self._known[share.address] = replace(metadata, clusters=metadata.clusters - self._former)
        self._ids.setdefault(share.address, metadata.share_id)
        return metadata

    async def require(self, share: Share) -> None:
        """See require_home."""
        await require_metadata_dir(share, self._former | {self._cluster})

    async def doubt(self, share: Share) -> str:
        """Why this may not be the share that holds this cluster's volumes; empty where it is. It is looked at now, and
        makes nothing. Another share in its place is told once; from then on it is the one that is known.
        """
        try:
            metadata = await find_metadata_dir(share)
        except Refused as refusal:
            return str(refusal)
        if metadata is None or not (self._former | {self._cluster}) & metadata.clusters:
            what = f"{HOME}/ is missing" if metadata is None else f"{HOME}/clusters/ knows nothing of this cluster"
            return f"{what}, though PVs of this cluster lie here; {_RIGHT_ONE}"
        before = self._ids.setdefault(share.address, metadata.share_id)
        if before == metadata.share_id:
            return ""
        self._ids[share.address] = metadata.share_id
        self.forget(share.address)
        return (
            f"{SHARE_FILE} says that this is share {metadata.share_id}, and it was {before} before: another one was "
            f"put in its place, or {HOME}/ was made anew; {_RIGHT_ONE}"
        )

    def known(self, address: ShareAddress) -> MetadataDir | None:
        """The home of a share that was opened before."""
        return self._known.get(address)

    def forget(self, address: ShareAddress) -> None:
        """Opens it again on the next use."""
        self._known.pop(address, None)


async def open_metadata_dir(share: Share, cluster: str) -> MetadataDir:
    """Reads `.berth/`, making what is missing of it, and enters this cluster. Refused when a newer Berth owns it."""
    try:
        share_id = await _read_id(share)
    except Missing:
        await _make(share)
        share_id = await _read_id(share)
    else:
        await _mend(share)
    clusters = await clusters_on(share)
    if cluster not in clusters:
        with suppress(Taken):
            content = json.dumps({"format": FORMAT, "cluster": cluster, "since": now_text()}) + "\n"
            await share.write_file(f"{CLUSTERS}/{cluster}.json", content.encode(), exclusive=True)
    root, metadata, trash = [await share.stat(path) for path in ("", HOME, TRASH)]
    return MetadataDir(
        share_id=share_id,
        clusters=clusters | {cluster},
        identity=metadata.identity,
        root_device=root.device,
        trash_device=trash.device,
    )


async def find_metadata_dir(share: Share) -> MetadataDir | None:
    """Reads `.berth/` and makes nothing. None where it is missing or has holes."""
    with suppress(Missing):
        return MetadataDir(share_id=await _read_id(share), clusters=await clusters_on(share))
    return None


async def require_metadata_dir(share: Share, names: frozenset[str]) -> None:
    """Raises Unavailable unless `.berth/` is there and knows this cluster by one of its names. Makes nothing.

    A share that holds volumes of this cluster always does. Without it something else is mounted or exported in the
    share's place, where every volume would look as if it were gone already.
    """
    metadata = await find_metadata_dir(share)
    if metadata is None or not names & metadata.clusters:
        raise Unavailable(
            str(share.address),
            "mount",
            f"{HOME}/ is missing or knows nothing of this cluster, though Berth has made volumes here; {_RIGHT_ONE}",
        )


async def is_root(path: str, share: Share) -> bool:
    """Whether the directory at path is the root of a share of its own, in which others may have their volumes. Missing
    when there is no directory; Refused when a link is on the way to it.

    The cluster's PVs don't tell where the two are reached by different addresses, and each share has records and an
    identity of its own.
    """
    try:
        return (await share.stat(f"{path}/{SHARE_FILE}")).kind == "file"
    except Refused as refusal:
        if len(refusal.field) < len(path):
            raise  # a link leads there, or a file is in the way
        return False
    except Missing as missing:
        if len(missing.path) <= len(path):
            raise
        return False


async def clusters_on(share: Share) -> frozenset[str]:
    """UIDs of the clusters that keep volumes on this share, at this moment."""
    names = [recorded_name(entry.name) for entry in await share.list(CLUSTERS)]
    return frozenset(name for name in names if name)


async def _read_id(share: Share) -> str:
    values = parse_json(await share.read_file(SHARE_FILE), SHARE_FILE)
    share_id = values.get("id")
    if not isinstance(share_id, str) or not share_id:
        raise Refused(SHARE_FILE, "has no id")
    return share_id


async def _make(share: Share) -> None:
    for directory in DIRECTORIES:
        await share.make_directory(directory, mode=0o700, adopt=True)
    content = json.dumps({"format": FORMAT, "id": str(uuid.uuid4()), "created": now_text()}) + "\n"
    with suppress(Taken):  # another controller was quicker: its identity counts
        await share.write_file(SHARE_FILE, content.encode(), exclusive=True)


async def _mend(share: Share) -> None:
    """Makes again what somebody removed by hand, to empty the trash for instance."""
    there = {f"{HOME}/{entry.name}" for entry in await share.list(HOME)} | {HOME}
    for directory in DIRECTORIES:
        if directory not in there:
            await share.make_directory(directory, mode=0o700, adopt=True)
