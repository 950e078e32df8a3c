"""What one kind of object needs on the wire: where it lives, and how its JSON is read straight into typed objects."""

from __future__ import annotations

from typing import Any, Generic, Literal, Protocol, TypeVar, cast
from urllib.parse import quote, urlencode

import msgspec
from lightkube.core.resource import ApiInfo, NamespacedResource, NamespacedSubResource


class Metadata(Protocol):
    """What every object says about itself; lightkube's ObjectMeta and slimmer classes fit."""

    @property
    def name(self) -> str | None: ...
    @property
    def namespace(self) -> str | None: ...
    @property
    def resourceVersion(self) -> str | None: ...  # noqa: N802 - Kubernetes' name


class Resource(Protocol):
    """A lightkube resource class, or a Struct of one's own below a lightkube resource base with the same `_api_info`.

    What such a Struct does not declare is not read, which saves memory where thousands are cached.
    """

    @property
    def _api_info(self) -> ApiInfo: ...
    @property
    def metadata(self) -> Metadata | None: ...


R = TypeVar("R", bound=Resource)


class ListMetadata(msgspec.Struct, rename={"continue_": "continue"}):
    """Where a list was taken, and where it goes on."""

    resourceVersion: str = ""  # noqa: N815 - Kubernetes' name
    continue_: str = ""


WatchType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]


class WatchLine(msgspec.Struct):
    """One line of a watch, its object not yet read: what it is depends on the type."""

    type: WatchType
    object: msgspec.Raw


class Kind(Generic[R]):
    """Paths and decoders of one resource class."""

    def __init__(self, resource: type[R]) -> None:
        info = cast(ApiInfo, resource._api_info)  # of the class: the protocol can't tell
        definition = info.parent or info.resource
        self.plural = info.plural
        self.api_version: str = definition.api_version
        self.kind: str = definition.kind
        self.namespaced = issubclass(resource, (NamespacedResource, NamespacedSubResource))
        self._root = f"/{'apis' if definition.group else 'api'}/{self.api_version}"
        self._head = f'{{"apiVersion":"{self.api_version}","kind":"{self.kind}",'.encode()
        self.read: msgspec.json.Decoder[R] = msgspec.json.Decoder(resource)
        self.read_list: msgspec.json.Decoder[Any] = msgspec.json.Decoder(
            msgspec.defstruct(
                f"{resource.__name__}List",
                [
                    ("items", list[resource]),  # type: ignore[valid-type]
                    ("metadata", ListMetadata, msgspec.field(default_factory=ListMetadata)),
                ],
            )
        )

    def encode(self, obj: R) -> bytes:
        """obj as JSON, with apiVersion and kind even where its maker left them out."""
        body = msgspec.json.encode(obj)
        named = getattr(obj, "apiVersion", None) or getattr(obj, "kind", None)
        return body if named else self._head + body[1:]

    def collection(self, namespace: str = "", **parameters: str | int) -> str:
        """Path and query of all objects, in one namespace or (empty) in all."""
        below = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
        path = f"{self._root}{below}/{self.plural}"
        given = {name: value for name, value in parameters.items() if value != ""}
        return f"{path}?{urlencode(given)}" if given else path

    def object(self, name: str, namespace: str, subresource: str = "") -> str:
        """Path of one object. ValueError without name or namespace: the path would be that of something larger."""
        if not name or bool(namespace) != self.namespaced:
            raise ValueError(f"not a {self.kind}: name {name!r} in namespace {namespace!r}")
        path = f"{self.collection(namespace)}/{quote(name, safe='')}"
        return f"{path}/{subresource}" if subresource else path


def kind_of(resource: type[R]) -> Kind[R]:
    """The Kind of a resource class, made once."""
    kind = _kinds.get(resource)
    if kind is None:
        kind = _kinds[resource] = Kind(resource)
    return kind


_kinds: dict[type, Kind[Any]] = {}
read_watch_line = msgspec.json.Decoder(WatchLine)
