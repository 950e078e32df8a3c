"""Provisioners in each other's way: one name for two shares, several on one share, or Berth and an old one at once."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from berth.findings.finding import Finding, Subject
from berth.kube.leader import lock_name
from berth.objects import translation
from berth.objects.translation import Location
from berth.operations.install_plan import OLDEST
from berth.operations.takeover.findings import find, object_of
from berth.operations.takeover.inventory import Group, Inventory, unserved
from berth.operations.takeover.old import Berth, FoundProvisioners, OldProvisioner
from berth.settings.install import NAME
from berth.texts.counting import counted
from berth.texts.text import Text
from berth.volumes.server_name import on_server

_NO_NAME = re.compile(r"[^a-z0-9-]+")
"""What can't stand in the name of an installation."""


def serves_already(group: Group, found: FoundProvisioners) -> Berth | None:
    """A Berth that somebody installed for these names."""
    names = set(group.provisioners)
    return next((one for one in found.berths if names <= set(one.provisioners)), None)


def namesakes(chosen: Sequence[OldProvisioner], found: FoundProvisioners) -> tuple[list[OldProvisioner], list[Finding]]:
    """Those that are to be taken over, without those that have no pods while another share's provisioner answers to
    their name; and what is to be said of these.
    """
    left, findings = [], []
    for one in chosen:
        rival = next((other for other in found.old if _is_rival(one, other) and not other.is_idle), None)
        if one.is_idle and rival is not None:
            about = Subject("workload", one.key)
            findings.append(find("one-name-two-shares", about, variant="idle", rival=rival.key, there=str(one.share)))
        else:
            left.append(one)
    return left, findings


def _is_rival(one: OldProvisioner, other: OldProvisioner) -> bool:
    """Whether it answers to the same name for another share."""
    is_here = (one.share.server.lower(), one.share.export) == (other.share.server.lower(), other.share.export)
    return not is_here and bool(set(one.provisioners) & set(other.provisioners))


def judge_provisioners(group: Group, found: FoundProvisioners, by: Berth, cluster: Inventory) -> Iterator[Finding]:
    """Who else answers to the same names, or works on the same share. by: the Berth that is to serve."""
    for one in group.old:
        rivals = [other for other in found.old if _is_rival(one, other) and not other.is_idle]
        yield from (_two_shares(one, other, cluster) for other in rivals)
    for stranger in found.others:
        shared = set(stranger.provisioners) & set(group.provisioners)
        if shared and (stranger.workload.replicas or stranger.workload.ready):
            yield find(
                "one-name-twice",
                stranger.workload.about,
                variant={"scaled": stranger.is_scaled},
                kind=stranger.workload.kind.lower(),
                names=sorted(shared),
            )
    yield from _judge_berth(group, by)
    if len(group.old) > 1:
        names = Counter(name for one in group.old for name in one.provisioners)
        twice = sorted(name for name, count in names.items() if count > 1)
        yield find(
            "several-on-one-share",
            Subject("share", str(group.share)),
            variant={"twice": twice},
            provisioners=counted(len(group.old), "old provisioner", "个旧制备器"),
            old=[one.key for one in group.old],
            names=twice,
        )


def _judge_berth(group: Group, by: Berth) -> Iterator[Finding]:
    """Whether the Berth that is to serve runs already, and otherwise than it has to."""
    if not by.replicas:
        return
    about, share = Subject("workload", by.key), group.share
    missing = sorted(set(group.provisioners) - set(by.provisioners))
    if missing:
        names = ",".join(dict.fromkeys((*by.provisioners, *group.provisioners)))
        yield find("berth-lacks-name", about, missing=missing, names=names)
        return
    if (by.server.lower(), by.export) != (share.server.lower(), share.export):
        here = on_server(by.server, by.export) if by.server else "-"
        yield find("berth-elsewhere", about, here=here, there=str(share), server=share.server, export=share.export)
    running = [one.key for one in group.old if one.replicas]
    if running and not any(one.taken_by for one in group.old):
        yield find("both-run", about, running=running)


def _two_shares(one: OldProvisioner, other: OldProvisioner, cluster: Inventory) -> Finding:
    """Which of the two is wanted is for people to say, unless one does all the work: the command ends the other."""
    names = set(one.provisioners) & set(other.provisioners)
    mine, theirs = (_work_of(each, names, cluster) for each in (one, other))
    unwanted = other if _does_more(mine, theirs) else one if _does_more(theirs, mine) else None
    pair = (one, mine), (other, theirs)
    (about, work), (rival, rival_work) = pair if unwanted is one else reversed(pair)
    pods, volumes = _told(work)
    rival_pods, rival_volumes = _told(rival_work)
    return find(
        "one-name-two-shares",
        Subject("workload", about.key),
        variant={"rivals": True, "unwanted": unwanted},
        names=sorted(names),
        there=str(about.share),
        pods=pods,
        volumes=volumes,
        rival=rival.key,
        rival_share=str(rival.share),
        rival_pods=rival_pods,
        rival_volumes=rival_volumes,
    )


def _work_of(one: OldProvisioner, names: set[str], cluster: Inventory) -> tuple[int, int]:
    """Pods that are ready, and PVs of these names on its share."""
    above = f"{one.share.export.rstrip('/')}/"
    places = [translation.location_of(each) for each in cluster.volumes if translation.provisioned_by(each) in names]
    here = [each for each in places if each is not None and each.server.lower() == one.share.server.lower()]
    return one.ready, sum(each.path.startswith(above) for each in here)


def _does_more(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether one works in every respect in which the other does, and the other in one less."""
    pairs = [(bool(a), bool(b)) for a, b in zip(one, other, strict=True)]
    return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)


def _told(work: tuple[int, int]) -> tuple[Text, Text]:
    return counted(work[0], "pod", "个 Pod"), counted(work[1], "PV", "个 PV")


def judge_cluster(
    kubernetes: tuple[int, int], found: FoundProvisioners, cluster: Inventory, *, only: tuple[str, ...]
) -> Iterator[Finding]:
    """What concerns no single share. only: the provisioners that are asked about; empty: all."""
    asked = {("deployment", key) for key in only}
    yield from (one for one in found.unclear if not only or object_of(one) in asked)
    if kubernetes < OLDEST:
        release, oldest = (".".join(map(str, one)) for one in (kubernetes, OLDEST))
        yield find("kubernetes-too-old", Subject("cluster", ""), release=release, oldest=oldest)
    served = [name for old in found.old for name in old.provisioners]
    served += [name for berth in found.berths for name in berth.provisioners]
    served += [name for other in found.others for name in other.provisioners]
    if not only:
        yield from (_unserved(name, places) for name, places in unserved(cluster, served).items())


def _unserved(name: str, places: Mapping[str, Location]) -> Finding:
    first = next(iter(places.values()))
    return find(
        "provisioner-gone",
        Subject("provisioner", name),
        *(Subject("volume", pv) for pv in places),
        volumes=counted(len(places), "NFS PV", "个 NFS PV"),
        server=first.server,
        path=posixpath.dirname(first.path),
        name=f"{NAME}-{_NO_NAME.sub('-', lock_name(name).lower())[:40]}".strip("-"),
    )
