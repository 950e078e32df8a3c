"""A cache of all objects of one kind that follows the API server, and tells handlers about every change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic

from berth.kube.client import Api, R

Handler = Callable[[R | None, R | None], None]


def key_of(namespace: str | None, name: str) -> str:
    """`namespace/name`, or `name` for what lives in no namespace."""
    return f"{namespace}/{name}" if namespace else name


def split_key(key: str) -> tuple[str, str]:
    """(namespace, name); the namespace is empty for what lives in none."""
    namespace, _, name = key.rpartition("/")
    return namespace, name


class Informer(Generic[R]):
    """The objects of one kind as the API server last told them."""

    def __init__(
        self,
        api: Api,
        resource: type[R],
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        transform: Callable[[R], R] | None = None,
        resync: float | None = 900.0,
        page_size: int = 500,
    ) -> None: ...

    @property
    def name(self) -> str:
        """The plural of the kind, for task names and logs: `persistentvolumes`."""
        raise NotImplementedError

    async def run(self) -> None:
        """Follows the API server for ever, through any outage of it."""
        raise NotImplementedError

    async def wait_synced(self) -> None:
        """Returns once the cache holds a whole list (and handlers have seen it)."""
        raise NotImplementedError

    def is_synced(self) -> bool:
        """Whether the cache has held a whole list."""
        raise NotImplementedError

    def add_handler(self, handler: Handler[R]) -> None:
        """handler(old, new) is called in order, before the next change is read: old None: new to the cache; new None: gone;
        both the same object: a resync. Objects that are cached already are reported at once."""
        raise NotImplementedError

    def get(self, key: str) -> R | None:
        """The object of that key (`namespace/name` or `name`). Shared with everybody: never change it."""
        raise NotImplementedError

    def keys(self) -> Iterator[str]:
        """All keys."""
        raise NotImplementedError

    def values(self) -> Iterator[R]:
        """All objects."""
        raise NotImplementedError

    def __contains__(self, key: str) -> bool:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError
