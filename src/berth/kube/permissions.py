"""What a piece of code needs to be allowed to do, declared next to it; roles are made from these tables alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Permission:
    """Verbs on one resource (`persistentvolumeclaims/status` for a subresource), in the whole cluster or in Berth's own
    namespace; names narrows it to single objects.
    """

    group: str
    resource: str
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()
    own_namespace: bool = False


@dataclass(frozen=True, slots=True)
class Right:
    """One verb on one resource, as `kubectl auth can-i` asks for it."""

    verb: str
    group: str
    resource: str
    name: str = ""
    own_namespace: bool = False

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        return f"{self.verb} {self.resource}{group}" + (f" {self.name}" if self.name else "")


def rights(permissions: Iterable[Permission]) -> list[Right]:
    """Every single right in the tables, once."""
    return list(
        dict.fromkeys(
            Right(verb, one.group, one.resource, name, one.own_namespace)
            for one in permissions
            for verb in one.verbs
            for name in one.names or ("",)
        )
    )
