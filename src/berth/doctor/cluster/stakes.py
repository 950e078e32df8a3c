"""One finding for each share that does not do its work, with all that hangs on it: what would be told of its claims,
pods and PVs is told there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from berth.doctor.cluster import edits
from berth.doctor.cluster.exported import meant_by
from berth.doctor.cluster.mounting import shares_of_mounts
from berth.doctor.cluster.outages import BACK, Outage, Outages, said_in_events, share_key, share_of_waiting
from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import entry, find
from berth.findings.finding import Finding, Subject, Unseen
from berth.objects import kinds, runtime
from berth.objects.translation import class_name_of, location_of
from berth.texts.command import command
from berth.texts.counting import counted
from berth.texts.text import Text

_HERE_ONLY = frozenset({"share-unresolved", "share-unreachable"})
"""What may be so from this host only, unless something in the cluster says the same."""
_ABOUT_US = frozenset({"share-not-for-us", "share-kerberos", "share-denied"})
"""What is about who asks: unless something in the cluster says the same, it was not seen how the share is."""
_INSIDE = re.compile(r"\.svc(\.|$)")
"""Names that only pods can resolve."""
_SUBJECTS = 20


@dataclass
class _Stakes:
    """What hangs on a share."""

    claims: list[kinds.ClaimObject] = field(default_factory=list)
    volumes: list[kinds.VolumeObject] = field(default_factory=list)
    pods: dict[str, runtime.Pod] = field(default_factory=dict)
    classes: list[kinds.ClassObject] = field(default_factory=list)

    @property
    def text(self) -> Text:
        """In a sentence; empty where nothing hangs on it."""
        claims, volumes, pods = len(self.claims), len(self.volumes), len(self.pods)
        parts = [
            (claims, counted(claims, "claim", "个 PVC"), "waits" if claims == 1 else "wait", " 在等待"),
            (volumes, counted(volumes, "volume", "个卷"), "is on it" if volumes == 1 else "are on it", "位于其上"),
            (pods, counted(pods, "pod", "个 Pod"), "uses it" if pods == 1 else "use it", " 在使用"),
        ]
        there = [(name, en, zh) for number, name, en, zh in parts if number]
        return Text(
            ", ".join(f"{name.en} {en}" for name, en, _ in there), "，".join(f"{name.zh}{zh}" for name, _, zh in there)
        )


def judge_outages(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding | Unseen]:
    """One finding for each share that does not do its work; Unseen where nobody but this host says so, and it may be
    this host's fault.
    """
    outages = provisioners.outages
    stakes = {share: _Stakes() for share in outages.known}
    _gather(snapshot, provisioners, outages, stakes)
    told = said_in_events(snapshot).keys() | _mentioned(snapshot, outages)
    for share, outage in outages.known.items():
        is_told = not outage.is_asked or share in told
        if outage.failure == BACK:
            if stakes[share].claims:
                yield _back(outage, stakes[share])
        elif not is_told and _is_ours(outage):
            yield Unseen(Subject("share", share).text, outage.said, about=Subject("share", share))
        else:
            yield _finding(outage, stakes[share], is_certain=is_told or _is_certain(outage, stakes[share]))


def _gather(snapshot: Snapshot, provisioners: Provisioners, outages: Outages, stakes: Mapping[str, _Stakes]) -> None:
    of_class: dict[str, str] = {}
    for each in snapshot.classes:
        outage = outages.known.get(share_key(provisioners.share_of(each)))
        if outage is not None:
            of_class[each.name] = outage.share
            stakes[outage.share].classes.append(each)
    for claim in snapshot.claims:
        if claim.status.phase == "Pending" and not claim.metadata.deletionTimestamp:
            share = of_class.get(class_name_of(claim) or "") or share_of_waiting(snapshot, claim)
            if share in stakes:
                stakes[share].claims.append(claim)
    for volume in snapshot.volumes:
        place = location_of(volume)
        on = outages.around(f"{place[0]}:{place[1]}") if place is not None else None
        if on is None:
            continue
        stakes[on.share].volumes.append(volume)
        bound = volume.spec.claimRef
        for pod in snapshot.users.get(f"{bound.namespace}/{bound.name}", ()) if bound is not None else ():
            stakes[on.share].pods[pod.key] = pod


def _mentioned(snapshot: Snapshot, outages: Outages) -> set[str]:
    """The shares of which kubelet complains, too."""
    found = (outages.around(share) for pod in snapshot.pods for share in shares_of_mounts(snapshot, pod))
    return {each.share for each in found if each is not None}


def _is_ours(outage: Outage) -> bool:
    """Whether it tells more of this host than of the share."""
    server = outage.share.partition(":/")[0]
    is_inside = outage.failure == "share-unresolved" and _INSIDE.search(server) is not None
    return outage.failure in _ABOUT_US or is_inside


def _is_certain(outage: Outage, stakes: _Stakes) -> bool:
    """Whether it can't be so from this host only. A path that has bound volumes was exported to somebody."""
    if outage.failure == "share-not-exported":
        return not any(each.status.phase == "Bound" for each in stakes.volumes)
    return outage.failure not in _HERE_ONLY


def _finding(outage: Outage, stakes: _Stakes, *, is_certain: bool) -> Finding:
    server, _, export = outage.share.partition(":/")
    said = stakes.text
    own = next((each for each in stakes.classes if not _names_no_share(each)), None)
    is_asked = own is not None and outage.failure == "share-not-exported"
    meant = meant_by(f"/{export}", outage.exported) if is_asked else ""
    edit = edits.set_parameter("share", meant) if meant else None
    which = {
        "alone": not said.en,
        "asked": said.en,
        "export": True,
        "near": edit is not None,
        "uncertain": not is_certain,
    }
    return find(
        outage.failure,
        *_about(outage, stakes),
        variant={name: holds for name, holds in which.items() if name in entry(outage.failure).variants},
        server=server,
        export=f"/{export}",
        failed=outage.said,
        stakes=said if said.en else None,
        edit=edit,
        nearest=meant if edit is not None else None,
    )


def _back(outage: Outage, stakes: _Stakes) -> Finding:
    first = stakes.claims[0]
    retry = command(
        'kubectl -n {namespace} annotate --overwrite pvc {name} retry-at="$(date +%s)"',
        namespace=first.namespace,
        name=first.name,
    )
    return find(BACK, *_about(outage, stakes), failed=outage.said, retry=retry, stakes=stakes.text)


def _about(outage: Outage, stakes: _Stakes) -> list[Subject]:
    return [
        Subject("share", outage.share),
        *(Subject("class", each.name) for each in sorted(stakes.classes, key=_names_no_share)[:_SUBJECTS]),
        *(Subject("claim", each.key) for each in stakes.claims[:_SUBJECTS]),
        *(Subject("volume", each.name) for each in stakes.volumes[:_SUBJECTS]),
        *(Subject("pod", key) for key in [*stakes.pods][:_SUBJECTS]),
    ]


def _names_no_share(of_class: kinds.ClassObject) -> bool:
    return not (of_class.parameters or {}).get("share")
