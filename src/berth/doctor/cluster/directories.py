"""PVs whose directories are the same, or lie in one another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject
from berth.objects import kinds
from berth.objects.locations import normal
from berth.objects.translation import SHARED_PATHS, location_of, provisioned_by
from berth.volumes.server_name import on_server

_SUBJECTS = 20


def judge_overlaps(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Directories that several PVs use. Those made by hand for several PVs on purpose are not counted."""
    at: defaultdict[tuple[str, str], list[kinds.VolumeObject]] = defaultdict(list)
    for volume in snapshot.volumes:
        place = location_of(volume)
        if place is not None and place[0]:
            at[place[0].lower(), normal(place[1])].append(volume)
    roots = {
        (each.server.lower(), normal(each.export)) for each in provisioners.known if each.share
    }  # the PV through which a provisioner mounts its share contains all volumes, rightly
    for (server, path), volumes in sorted(at.items()):
        outer = [(server, each) for each in _ancestors(path) if (server, each) not in roots]
        inside = [*volumes, *(each for above in outer for each in at.get(above, ()))]
        if len(inside) < 2 or not any(provisioned_by(each) for each in inside):
            continue
        if all(SHARED_PATHS in each.annotations for each in inside):
            continue
        yield _overlap(on_server(server, path), inside)


def _overlap(share: str, volumes: Sequence[kinds.VolumeObject]) -> Finding:
    names = [each.name for each in volumes]
    is_kept = all(each.spec.persistentVolumeReclaimPolicy == "Retain" for each in volumes)
    about = [*(Subject("volume", name) for name in names[:_SUBJECTS]), Subject("share", share)]
    others = [f"PV {name}" for name in names[:_SUBJECTS]]
    if is_kept:
        return find("shared-directory-kept", *about, others=others, volumes=names)
    return find("shared-directory", *about, others=others, volumes=names)


def _ancestors(path: str) -> Iterator[str]:
    while path != "/":
        path = path.rpartition("/")[0] or "/"
        yield path
