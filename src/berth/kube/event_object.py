"""An Event on the wire, with the fields that are written; of the answer, only the metadata is read."""

from __future__ import annotations

import msgspec
from lightkube.core.resource import NamespacedResourceG
from lightkube.resources.core_v1 import Event

from berth.kube.outcome import Reference


class EventMeta(msgspec.Struct, omit_defaults=True):
    """Whose Event this is; resourceVersion is only read."""

    name: str | None = None
    namespace: str | None = None
    resourceVersion: str | None = None  # noqa: N815


class Involved(msgspec.Struct, omit_defaults=True):
    """The object that it is about."""

    apiVersion: str = ""  # noqa: N815
    kind: str = ""
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resourceVersion: str = ""  # noqa: N815


class EventAuthor(msgspec.Struct, omit_defaults=True):
    """Who reports it."""

    component: str = ""
    host: str = ""


class EventObject(msgspec.Struct, NamespacedResourceG, omit_defaults=True):
    """core/v1 Event with the fields that are written; of the answer, only the metadata is read."""

    _api_info = Event._api_info

    metadata: EventMeta
    involvedObject: Involved  # noqa: N815
    type: str = ""
    reason: str = ""
    message: str = ""
    source: EventAuthor | None = None
    firstTimestamp: str | None = None  # noqa: N815
    lastTimestamp: str | None = None  # noqa: N815
    count: int = 0
    reportingComponent: str = ""  # noqa: N815
    reportingInstance: str = ""  # noqa: N815


def involved(about: Reference) -> Involved:
    """The object that an Event is about, as the Event names it."""
    return Involved(
        apiVersion=about.api_version,
        kind=about.kind,
        name=about.name,
        namespace=about.namespace,
        uid=about.uid,
        resourceVersion=about.resource_version,
    )
