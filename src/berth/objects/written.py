"""Claims and classes as people write them in files, before any cluster has seen them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from berth.objects.kinds import ClaimObject, ClassObject

_KINDS: dict[str, type[ClaimObject] | type[ClassObject]] = {
    "PersistentVolumeClaim": ClaimObject,
    "StorageClass": ClassObject,
}


UNBORN = "UID"
"""Stands for what the API server gives a claim when it is filed; its PV is called pvc-<uid>."""


class NotWritten(ValueError):  # noqa: N818 - says what is the matter
    """A document that is no object, or not what its kind asks for: one sentence."""


def read_written(documents: Iterable[object]) -> Iterator[ClaimObject | ClassObject]:
    """The claims and classes among the documents, also within lists; what is of another kind is passed by.

    NotWritten for what can't be read.
    """
    for document in documents:
        if document is None:
            continue
        if not isinstance(document, Mapping) or not isinstance(document.get("kind"), str):
            raise NotWritten("is not an object of Kubernetes: it has no kind")
        if document["kind"].endswith("List"):
            yield from read_written(document.get("items") or ())
        elif known := _KINDS.get(document["kind"]):
            yield _read(document, known)


def _with_quantities(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Sizes may be written as numbers, too: `storage: 1073741824`. The API server answers them as text."""
    match document:
        case {"spec": {"resources": {"requests": {**requests}}}}:
            spec, resources = document["spec"], document["spec"]["resources"]
            said = {key: str(each) if type(each) in (int, float) else each for key, each in requests.items()}
            return {**document, "spec": {**spec, "resources": {**resources, "requests": said}}}
    return document


def _read(document: Mapping[str, Any], kind: type[ClaimObject] | type[ClassObject]) -> ClaimObject | ClassObject:
    try:
        made = msgspec.convert(_with_quantities(document), kind)
    except msgspec.ValidationError as error:
        name = (document.get("metadata") or {}).get("name") or ""
        raise NotWritten(f"{document['kind']} {name!r}: {error}") from error
    if not made.name:
        raise NotWritten(f"{document['kind']}: metadata.name is missing")
    made.metadata.uid = made.metadata.uid or UNBORN
    return made
