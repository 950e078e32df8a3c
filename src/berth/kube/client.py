"""Requests to the API server, typed by lightkube's resource classes, failing only with berth.kube.errors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, Protocol, Self, TypeVar

from lightkube.config.kubeconfig import SingleConfig
from lightkube.core.resource import ApiInfo


class Metadata(Protocol):
    """What every object says about itself; lightkube's ObjectMeta and slimmer classes fit."""

    @property
    def name(self) -> str | None: ...
    @property
    def namespace(self) -> str | None: ...
    @property
    def uid(self) -> str | None: ...
    @property
    def resourceVersion(self) -> str | None: ...  # noqa: N802 - Kubernetes' name


class Resource(Protocol):
    """Any lightkube resource class, or a msgspec.Struct of one's own with the same `_api_info` and fewer fields."""

    _api_info: ClassVar[ApiInfo]

    @property
    def metadata(self) -> Metadata | None: ...


R = TypeVar("R", bound=Resource)
PatchKind = Literal["merge", "strategic", "json"]


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """One page of a list; continue_token is empty on the last one."""

    items: list[R]
    resource_version: str
    continue_token: str


@dataclass(frozen=True, slots=True)
class WatchEvent(Generic[R]):
    """One line of a watch. A BOOKMARK's object holds nothing but a resourceVersion."""

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
    object: R


class RequestObserver(Protocol):
    """Told about every request's end. resource: `persistentvolumes`, `persistentvolumeclaims/status`; code 0: no answer."""

    def __call__(self, verb: str, resource: str, code: int, seconds: float) -> None: ...


class Api:
    """One client of one API server, for one event loop."""

    def __init__(
        self,
        config: SingleConfig,
        *,
        timeout: float = 30.0,
        concurrent_writes: int = 64,
        user_agent: str = "berth",
        observer: RequestObserver | None = None,
    ) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes all connections."""
        raise NotImplementedError

    async def create(self, obj: R) -> R:
        """Posts obj (namespace from its metadata). AlreadyExists."""
        raise NotImplementedError

    async def replace(self, obj: R) -> R:
        """Puts obj in the place of the one of its name; Conflict unless its resourceVersion is the current one."""
        raise NotImplementedError

    async def get(self, resource: type[R], name: str, *, namespace: str = "") -> R:
        """The object of that name, fresh from the server. NotFound."""
        raise NotImplementedError

    async def list_page(
        self, resource: type[R], *, namespace: str = "", labels: str = "", fields: str = "", limit: int = 500, continue_token: str = ""
    ) -> Page[R]:
        """One page. namespace empty: all namespaces. Gone: the continue token has expired, start again."""
        raise NotImplementedError

    def watch(
        self,
        resource: type[R],
        *,
        resource_version: str,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        timeout: float = 300.0,
        silence: float = 90.0,
    ) -> AsyncIterator[WatchEvent[R]]:
        """The changes after resource_version, with bookmarks, until the server ends the stream (after about timeout seconds)."""
        raise NotImplementedError

    async def patch(
        self,
        resource: type[R],
        name: str,
        patch: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        namespace: str = "",
        kind: PatchKind = "merge",
        subresource: str = "",
    ) -> R:
        """Changes parts of an object; a resourceVersion in the patch's metadata makes it conditional (Conflict)."""
        raise NotImplementedError

    async def delete(
        self, resource: type[R], name: str, *, namespace: str = "", uid: str = "", resource_version: str = ""
    ) -> None:
        """Deletes the object, if uid and resource_version (where given) are still its own: else Conflict. NotFound."""
        raise NotImplementedError
