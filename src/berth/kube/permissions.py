"""What a piece of code needs to be allowed to do, declared next to it; roles are made from these tables alone."""

from __future__ import annotations

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
