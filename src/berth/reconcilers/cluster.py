"""What Berth knows of the cluster at this moment: the three caches, and which directories are whose."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from berth.kube.informer import Informer, key_of
from berth.objects import translation
from berth.objects.kinds import ClaimObject, ClassObject, VolumeObject
from berth.objects.locations import Locations
from berth.objects.translation import Location
from berth.reconcilers.waiting import Waiting
from berth.volumes.errors import Refused
from berth.volumes.plan import Plan
from berth.volumes.release import end_of, path_of
from berth.volumes.request import Claim, End, Neighbour
from berth.volumes.share import ShareAddress


class Cluster:
    """The caches of claims, classes and PVs, and what follows from them.

    A planned volume is held from the moment of its plan until its PV is in the cache: two claims that are worked on at
    the same time can't be given one directory.
    """

    def __init__(
        self,
        *,
        claims: Informer[ClaimObject],
        classes: Informer[ClassObject],
        volumes: Informer[VolumeObject],
        provisioners: tuple[str, ...],
        same_server: Callable[[str, str], bool],
        learn_server: Callable[[str], None],
    ) -> None:
        """same_server: whether two spellings are one server, answered at once; learn_server: told of each in use."""
        self.claims = claims
        self.classes = classes
        self.volumes = volumes
        self.provisioners = provisioners
        self._same_server = same_server
        self._learn_server = learn_server
        self._locations = Locations()
        self._held: dict[str, Plan] = {}
        self._waiting = Waiting()
        self._on_share: dict[str, dict[str, None]] = {}
        """Berth's PVs by the share that they name, in the order in which they came."""
        volumes.add_handler(self._volume_changed)

    def class_of(self, claim: ClaimObject) -> ClassObject | None:
        """The claim's class; None when it does not exist."""
        return self.classes.get(translation.class_name_of(claim) or "")

    def class_of_volume(self, volume: VolumeObject) -> ClassObject | None:
        """The class that a PV was made for. None when it is gone, also where another provisioner's class has its name
        by now: that one says nothing about the PV.
        """
        found = self.classes.get((volume.spec.storageClassName if volume.spec else None) or "")
        return found if found is not None and found.provisioner in self.provisioners else None

    def is_ours(self, volume: VolumeObject) -> bool:
        """Whether a provisioner that Berth answers to made the PV."""
        return translation.provisioned_by(volume) in self.provisioners

    def shares_named(self) -> list[str]:
        """What Berth's PVs say of the shares that they are on, each once; empty for those that say nothing."""
        return list(self._on_share)

    def volumes_naming(self, share: str) -> tuple[str, ...]:
        """The names of Berth's PVs that say this of their share."""
        return tuple(self._on_share.get(share, ()))

    def has_pv(self, pv: str) -> bool:
        """Whether a PV of this name exists."""
        return pv in self.volumes

    def has_claim(self, claim: Claim) -> bool:
        """Whether exactly this claim exists; one of the same name with another uid does not count."""
        found = self.claims.get(key_of(claim.namespace, claim.name))
        return found is not None and found.metadata.uid == claim.uid

    def path_on(self, share: ShareAddress, pv: str) -> str:
        """Where on a share the volume of a PV is that Berth made, as the PV says; empty where it does not say so."""
        volume = self.volumes.get(pv)
        if volume is None or not self.is_ours(volume) or translation.said_share(volume) != str(share):
            return ""
        try:
            return path_of(translation.release_request_of(volume, None), share)
        except Refused:
            return ""

    def is_released(self, volume: VolumeObject) -> bool:
        """Whether the PV's end is for Berth to bring about (I3)."""
        claim = translation.former_claim(volume)
        return (
            self.is_ours(volume)
            and translation.phase_of(volume) == "Released"
            and translation.policy_of(volume) == "Delete"
            and claim is not None
            and not self.has_claim(claim)
        )

    def neighbours(self, server: str, path: str, without: str) -> Iterator[Neighbour]:
        """The live PVs, made by whomever, and the planned ones whose directories overlap path on server, or may."""
        for pv, place, is_certain in self._locations.near(path):
            if pv == without or not self._same_server(server, place.server):
                continue
            volume = self.volumes.get(pv)
            if volume is not None:
                yield self._neighbour(pv, place, volume, is_certain)
            elif pv in self._held:
                plan = self._held[pv]
                yield Neighbour(
                    pv=pv,
                    claim=str(plan.claim),
                    namespace=plan.claim.namespace,
                    path=place.path,
                    sharing=plan.sharing,
                    is_certain=is_certain,
                )

    def hold(self, plan: Plan) -> None:
        """Keeps a planned directory for its claim."""
        self._held[plan.pv] = plan
        self._locations.put(plan.pv, Location(plan.share.server, plan.absolute_path))

    def let_go(self, pv: str) -> None:
        """Gives up a planned directory whose PV will not come."""
        if self._held.pop(pv, None) is not None and pv not in self.volumes:
            self._locations.drop(pv)
            self._waiting.wake(pv)

    def wait_for(self, blockers: tuple[str, ...], key: str, wake: Callable[[], None]) -> None:
        """Calls wake once one of these PVs goes or changes; a later call with the same key replaces an earlier one."""
        self._waiting.put(key, blockers, wake)

    def wait_no_more(self, key: str) -> None:
        """Forgets the waiter with this key: it is gone itself, or has got what it waited for."""
        self._waiting.drop(key)

    def _neighbour(self, pv: str, place: Location, volume: VolumeObject, is_certain: bool) -> Neighbour:
        claim = translation.former_claim(volume)
        return Neighbour(
            pv=pv,
            claim=str(claim) if claim else "",
            namespace=claim.namespace if claim else "",
            path=place.path,
            sharing=translation.sharing_of(volume),
            leaving=self._leaving(volume),
            is_certain=is_certain,
        )

    def _leaving(self, volume: VolumeObject) -> End | None:
        if not self.is_released(volume):
            return None
        try:
            return end_of(translation.release_request_of(volume, self.class_of_volume(volume)))
        except Refused:
            return None

    def _volume_changed(self, old: VolumeObject | None, new: VolumeObject | None) -> None:
        pv = (new or old or VolumeObject()).name
        if old is None or new is None or old is new or not translation.says_the_same_place(old, new):
            self._place_changed(pv, old, new)
        self._held.pop(pv, None)
        if old is not new:
            self._waiting.wake(pv)

    def _place_changed(self, pv: str, old: VolumeObject | None, new: VolumeObject | None) -> None:
        place = translation.location_of(new) if new is not None else None
        if place is None:
            self._locations.drop(pv)
        else:
            self._learn_server(place.server)
            self._locations.put(pv, place)
        self._enter(pv, old, new)

    def _enter(self, pv: str, old: VolumeObject | None, new: VolumeObject | None) -> None:
        """Keeps _on_share."""
        before = translation.said_share(old) if old is not None and self.is_ours(old) else None
        now = translation.said_share(new) if new is not None and self.is_ours(new) else None
        if before is not None and before != now:
            here = self._on_share.get(before, {})
            here.pop(pv, None)
            if not here:
                self._on_share.pop(before, None)
        if now is not None:
            self._on_share.setdefault(now, {})[pv] = None
