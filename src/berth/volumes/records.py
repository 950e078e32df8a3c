"""Records: one small JSON file per volume under `.berth/volumes/`, so that a share explains itself without a cluster.

Format version 1. Keys that are not known are ignored; a file with a higher version is refused, not guessed at.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from json.encoder import encode_basestring
from typing import Any, get_args

from berth.volumes.errors import Refused
from berth.volumes.naming import volume_path
from berth.volumes.plan import Plan
from berth.volumes.release import ReleasePlan
from berth.volumes.request import Claim, End

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Record:
    """What is written about one volume."""

    cluster: str
    """UID of namespace kube-system of the cluster that the volume serves."""
    pv: str
    namespace: str
    claim: str
    claim_uid: str
    class_name: str
    path: str
    capacity: int
    """Bytes."""
    mode: str
    """Octal, as it was at birth; empty when Berth didn't make the directory."""
    on_delete: End
    provisioner: str
    created: str
    """UTC, like 2026-01-31T12:00:00Z."""
    released: str = ""
    """When the claim was gone and the directory was kept; empty while the volume serves its claim."""
    archived: str = ""
    """When it was archived; such a record lies in .berth/archives/."""
    adopted: str = ""
    """When a directory that Berth had not made was taken into service: it is kept at the end, whatever else is said."""
    sharing: str = ""
    """`namespace` or `allow` where its class lets claims share a directory; empty for deny."""
    leader: str = ""
    """Which process wrote this, where one is elected (standing); a name that no other process ever has."""
    term: int = 0
    """How often that process's lock had changed hands by then."""
    stuck: str = ""
    """What kept the last purge of it from its end, as errors.LeftBehind says it; such a volume lies in the trash."""

    @property
    def owner(self) -> Claim:
        """The claim that it serves or served."""
        return Claim(self.namespace, self.claim, self.claim_uid)


_JSON_NAMES = {"claim_uid": "claimUID", "class_name": "class", "on_delete": "onDelete", "sharing": "sharedPaths"}
_NUMBERS = ("capacity", "term")
_PATH = re.compile(rb'"path": ("(?:[^"\\\\]|\\\\.)*")')


class UnreadableRecord(Refused):
    """A record that this version does not understand: cut off, of a newer format, or no record at all.

    path: which directory it seems to speak of; None when not even that can be told.
    """

    def __init__(self, field: str, why: str, path: str | None) -> None:
        super().__init__(field, why)
        self.path = path


def now_text(moment: datetime | None = None) -> str:
    """A moment as records write it; now without an argument."""
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


def record_of(plan: Plan, cluster: str, created: str, *, adopted: str = "") -> Record:
    """The record of a volume about to be made, or adopted at that moment."""
    return Record(
        cluster=cluster,
        pv=plan.pv,
        namespace=plan.claim.namespace,
        claim=plan.claim.name,
        claim_uid=plan.claim.uid,
        class_name=plan.class_name,
        path=plan.path,
        capacity=plan.size_bytes,
        mode=f"{plan.mode:04o}",
        on_delete="retain" if adopted else plan.on_delete,
        provisioner=plan.provisioner,
        created=created,
        adopted=adopted,
        sharing="" if plan.sharing == "deny" else plan.sharing,
    )


def record_of_released(plan: ReleasePlan, cluster: str) -> Record:
    """The record of a volume that lacks one (made by a reference provisioner), written before it is moved."""
    return Record(
        cluster=cluster,
        pv=plan.pv,
        namespace=plan.claim.namespace,
        claim=plan.claim.name,
        claim_uid=plan.claim.uid,
        class_name=plan.class_name,
        path=plan.path,
        capacity=0,
        mode="",
        on_delete=plan.end,
        provisioner="",
        created="",
    )


def encode(record: Record) -> bytes:
    """A record as the share holds it: JSON, one key a line."""
    lines = [f'{{\n "format": {FORMAT}']
    for name in Record.__dataclass_fields__:
        value = getattr(record, name)
        if value != "" and (name != "term" or record.leader):
            said = str(value) if name in _NUMBERS else encode_basestring(value)
            lines.append(f' "{_JSON_NAMES.get(name, name)}": {said}')
    return (",\n".join(lines) + "\n}\n").encode()


def decode(content: bytes, where: str) -> Record:
    """A record from its file; UnreadableRecord (naming where) when it is not one that this version understands."""
    try:
        return _decode(content, where)
    except Refused as refusal:
        raise UnreadableRecord(refusal.field, refusal.why, _glimpse(content)) from refusal


def _glimpse(content: bytes) -> str | None:
    """The path in what is left of a record, or in one of a format that is not known."""
    found = _PATH.search(content)
    with suppress(ValueError, Refused):
        return volume_path(str(json.loads(found[1]))) if found else None
    return None


def _decode(content: bytes, where: str) -> Record:
    values = parse_json(content, where)
    known: dict[str, Any] = {}
    for name in Record.__dataclass_fields__:
        key, type_ = _JSON_NAMES.get(name, name), int if name in _NUMBERS else str
        value = values.get(key, type_())
        if type(value) is not type_:
            raise Refused(where, f"{key} is not a {'whole number' if type_ is int else 'text'}")
        if isinstance(value, str) and not value.isascii() and any("\ud800" <= each <= "\udfff" for each in value):
            raise Refused(where, f"{key} holds half a character, which can't be written again")
        known[name] = value
    for needed in ("cluster", "pv", "path"):
        if not known[needed]:
            raise Refused(where, f"{needed} is missing")
    volume_path(known["path"], field=where)  # whoever wrote the file: nothing else is ever moved or removed
    if known["on_delete"] not in get_args(End):
        raise Refused(where, f"onDelete {known['on_delete']!r} is not one of delete, retain, archive")
    return Record(**known)


def parse_json(content: bytes, where: str) -> dict[str, Any]:
    """A JSON object with a format version that is known; Refused (naming where) otherwise."""
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:  # the latter: nested too deep
        raise Refused(where, f"is not valid JSON ({error})") from error
    if not isinstance(values, dict):
        raise Refused(where, "is not a JSON object")
    version = values.get("format")
    if type(version) is not int or version < 1:
        raise Refused(where, "has no format version")
    if version > FORMAT:
        raise Refused(
            where, f"was written by a newer Berth (format {version}, this one knows {FORMAT}); upgrade this one"
        )
    return values


def released(record: Record, moment: datetime | None = None) -> Record:
    """The same record, marked as kept without a claim."""
    return replace(record, released=now_text(moment))


def archived(record: Record, moment: datetime | None = None) -> Record:
    """The same record, marked as archived."""
    return replace(record, archived=now_text(moment))
