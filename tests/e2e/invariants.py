"""What must hold on a share and in the cluster once everything has converged (design section 4, I1 to I8)."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from tests.e2e import api
from tests.e2e.api import Object
from tests.e2e.site import ARCHIVES, RECORDS, TRASH, Site
from tests.e2e.waiting import until_none


def settle(*sites: Site, deadline: float = 30.0) -> None:
    """Returns once everything has converged; fails with all that has not."""
    until_none("all invariants hold", lambda: [one for site in sites for one in problems(site)], deadline=deadline)


def problems(site: Site) -> list[str]:
    """All that is not as it must be at rest, one sentence each."""
    pvs, claims = site.pvs(), site.api.list(api.claims(site.namespace))
    records = _read(site.root / RECORDS)
    return [
        *_claims_without_volume(site, claims),
        *_pvs_in_use(pvs),
        *_pvs_without_data(site, pvs, records),
        *_records_of_nothing(site, pvs, records),
        *_directories_of_nobody(site, records),
        *_trash(site),
        *_archives(site),
        *_sentinels(site, pvs),
    ]


def _read(directory: Path) -> dict[str, Object]:
    """Berth's files in a directory, by what they are about."""
    found = {}
    for path in directory.glob("*.json") if directory.exists() else ():
        try:
            found[path.name.removesuffix(".json")] = json.loads(path.read_text())
        except FileNotFoundError:  # it went while we looked
            continue
    return found


def _claims_without_volume(site: Site, claims: list[Object]) -> list[str]:
    ours = {one["metadata"]["name"] for one in site.api.list(api.CLASSES) if one["provisioner"] in site.provisioners}
    return [
        f"claim {claim['metadata']['name']} is {claim['status'].get('phase')}"
        for claim in claims
        if claim["spec"].get("storageClassName") in ours
        and not claim["metadata"].get("deletionTimestamp")
        and claim["status"].get("phase") != "Bound"
    ]


def _pvs_in_use(pvs: list[Object]) -> list[str]:
    served = Counter(pv["spec"]["claimRef"]["uid"] for pv in pvs)
    twice = [f"claim {uid} has {count} PVs" for uid, count in served.items() if count > 1]
    released = [f"PV {pv['metadata']['name']} is {pv['status'].get('phase')}" for pv in pvs if not _is_in_use(pv)]
    return twice + released


def _is_in_use(pv: Object) -> bool:
    phase, policy = pv["status"].get("phase", ""), pv["spec"]["persistentVolumeReclaimPolicy"]
    return (phase, policy) in (("Bound", "Delete"), ("Bound", "Retain"), ("Released", "Retain"))


def _pvs_without_data(site: Site, pvs: list[Object], records: dict[str, Object]) -> list[str]:
    found = []
    for pv in pvs:
        name, claim = pv["metadata"]["name"], pv["spec"]["claimRef"]
        if not site.directory_of(pv).is_dir():
            found.append(f"PV {name} has no directory {site.path_of(pv)!r}")
        record = records.get(name)
        if record is None:
            found.append(f"PV {name} has no record")
            continue
        says = (record["pv"], record["path"], record["namespace"], record["claim"], record["claimUID"])
        if says != (name, site.path_of(pv), claim["namespace"], claim["name"], claim["uid"]):
            found.append(f"the record of PV {name} says {says}")
    return found


def _records_of_nothing(site: Site, pvs: list[Object], records: dict[str, Object]) -> list[str]:
    known = {pv["metadata"]["name"] for pv in pvs}
    found = []
    for name, record in records.items():
        if name not in known and not record.get("released"):
            found.append(f"record {name} of {record['path']!r} has no PV")
        elif not (site.root / record["path"]).is_dir():
            found.append(f"record {name} speaks of {record['path']!r}, which is not there")
    return found


def _directories_of_nobody(site: Site, records: dict[str, Object]) -> list[str]:
    recorded = {record["path"] for record in records.values()}

    def below(directory: Path, prefix: str) -> list[str]:
        found = []
        for entry in sorted(directory.iterdir()):
            path = f"{prefix}{entry.name}"
            if path == ".berth" or path.startswith("archived-") or path in recorded or path in site.foreign:
                continue
            if any(one.startswith(f"{path}/") for one in (*recorded, *site.foreign)):
                found += below(entry, f"{path}/")
            else:
                found.append(f"{path!r} has no record")
        return found

    return below(site.root, "")


def _trash(site: Site) -> list[str]:
    trash = site.root / TRASH
    return [f"the trash holds {entry.name}" for entry in trash.iterdir()] if trash.exists() else []


def _archives(site: Site) -> list[str]:
    directories = {entry.name for entry in site.root.glob("archived-*")} - site.foreign
    explained = set(_read(site.root / ARCHIVES))
    return [
        *(f"archive {name} has no metadata" for name in sorted(directories - explained)),
        *(f"metadata speaks of archive {name}, which is not there" for name in sorted(explained - directories)),
    ]


def _sentinels(site: Site, pvs: list[Object]) -> list[str]:
    """What tests wrote into volumes is where it belongs, unchanged, as long as the volume or its archive is there."""
    archives = {record["pv"]: name for name, record in _read(site.root / ARCHIVES).items()}
    found = []
    for pv in pvs:
        name = pv["metadata"]["name"]
        if name in site.sentinels and _text(site.directory_of(pv) / "sentinel") != site.sentinels[name]:
            found.append(f"PV {name} lost its data")
    for name, archive in archives.items():
        if name in site.sentinels and _text(site.root / archive / "sentinel") != site.sentinels[name]:
            found.append(f"archive {archive} lost the data of {name}")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, NotADirectoryError):
        return ""
