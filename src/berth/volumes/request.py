"""What callers hand to the rules: plain values, read off Kubernetes objects elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from berth.volumes.share import ShareAddress

End = Literal["delete", "retain", "archive"]
"""What happens to a volume when its claim is gone."""

Sharing = Literal["deny", "namespace", "allow"]
"""Whether two claims may share a directory, or one contain the other's: never, within a namespace, or always."""

Existing = Literal["auto", "refuse", "adopt"]
"""What to do about a directory that Berth did not make and that holds something, where a new volume should be: refuse
the claim; adopt it, that is, serve it and keep it at the end; auto adopts only where the path's spelling tells that it
can be no other claim's."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim's identity. A claim of the same name with another uid is another claim."""

    namespace: str
    name: str
    uid: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class VolumeRequest:
    """One claim with its class, as far as the rules care."""

    claim: Claim
    pv: str
    """Name that the PV will have, `pvc-<claim uid>`."""
    class_name: str
    provisioner: str
    """The class's provisioner, one of the names that Berth answers to."""
    parameters: Mapping[str, str]
    size_bytes: int
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    mount_options: tuple[str, ...] = ()
    reclaim_policy: str = "Delete"
    volume_mode: str = "Filesystem"
    has_selector: bool = False
    data_source: str = ""
    """`Kind/name` of spec.dataSource or spec.dataSourceRef; empty without one."""


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """One PV whose claim is gone, as far as the rules care."""

    pv: str
    claim: Claim
    """The claim that it was bound to (spec.claimRef)."""
    class_name: str
    server: str
    """spec.nfs.server and spec.nfs.path: where the volume lies, in absolute terms of the server."""
    absolute_path: str
    share: str = ""
    """Annotation berth.io/share, `server:/export`; empty on a PV that Berth didn't make."""
    on_delete: str = ""
    """Annotation berth.io/on-delete, unchecked; empty without one."""
    mount_options: tuple[str, ...] = ()
    parameters: Mapping[str, str] | None = None
    """The class's parameters; None when the class is gone."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A live PV whose directory equals, contains or lies in the one asked about, or may do so: see is_certain."""

    pv: str
    claim: str
    """`namespace/name` of the claim it serves or served; empty if none."""
    namespace: str
    path: str
    """Its directory in absolute terms of the server."""
    sharing: Sharing | None = None
    """What its own class said about sharing; None when nothing is known (a PV that Berth didn't make)."""
    leaving: End | None = None
    """Set when it is itself being released by Berth: what will become of it."""
    is_certain: bool = True
    """False: the two paths overlap only where the server does not tell spellings apart (upper and lower case)."""


class Living(Protocol):
    """What lives in the cluster at this moment, answered from memory."""

    def has_pv(self, pv: str) -> bool: ...

    def has_claim(self, claim: Claim) -> bool:
        """Whether exactly this claim exists; one of the same name with another uid does not count."""

    def path_on(self, share: ShareAddress, pv: str) -> str:
        """Where on a share the volume of a PV is that Berth made, as the PV says; empty where it does not say so."""


@dataclass(frozen=True, slots=True)
class Census:
    """Living, as it was found at one moment."""

    pvs: frozenset[str] = frozenset()
    claims: frozenset[Claim] = frozenset()

    def has_pv(self, pv: str) -> bool:
        return pv in self.pvs

    def has_claim(self, claim: Claim) -> bool:
        return claim in self.claims

    def path_on(self, share: ShareAddress, pv: str) -> str:
        return ""


Neighbours = Callable[[str, str, str], Iterable[Neighbour]]
"""(server, absolute path, PV to leave out) -> the live PVs that overlap it. Answered from memory."""
