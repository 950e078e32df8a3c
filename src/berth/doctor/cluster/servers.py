"""NFS servers that are Services of this very cluster, and whose pods are gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject
from berth.objects.translation import location_of

_SUBJECTS = 20


def services_of_servers(snapshot: Snapshot) -> dict[str, str]:
    """The servers of PVs that are Services here, by address or name: each with the Service's `namespace/name`."""
    by_address = {
        each.spec.clusterIP: each.key for each in snapshot.services if each.spec.clusterIP not in ("", "None")
    }
    keys = {each.key for each in snapshot.services}
    found: dict[str, str] = {}
    for server in {place[0] for each in snapshot.volumes if (place := location_of(each)) is not None}:
        name, _, rest = server.partition(".")
        namespace, _, ending = rest.partition(".")
        key = by_address.get(server, f"{namespace}/{name}" if ending.split(".")[0] == "svc" else "")
        if key in keys:
            found[server] = key
    return found


def judge_server_pods(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """NFS servers that are Services of this cluster with no pod behind them, each with the PVs that lie on it."""
    services = services_of_servers(snapshot)
    volumes: defaultdict[str, list[str]] = defaultdict(list)
    for volume in snapshot.volumes:
        place = location_of(volume)
        if place is not None and services.get(place[0]) in snapshot.unserved:
            volumes[place[0]].append(volume.name)
    for server, names in sorted(volumes.items()):
        key = services[server]
        about = [Subject("server", server), *(Subject("volume", name) for name in names[:_SUBJECTS])]
        yield find("server-pod-gone", *about, variant="service", service=key, namespace=key.partition("/")[0])
