"""Mount options of classes and PVs that no node can mount with, that lose data, or that do nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from berth.doctor.cluster import edits
from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject
from berth.objects.translation import location_of
from berth.texts.text import joined
from berth.volumes.mount_options.judge import judge_options as faults_of
from berth.volumes.mount_options.option import OptionFault, Weight

_FAILURES: dict[Weight, str] = {
    "refused": "mount-options-refused",
    "risky": "mount-options-risky",
    "idle": "mount-options-idle",
}


def judge_options(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Each weight is told once for a class, and for a PV only where its class does not say the same; what no node can
    mount with is told of every PV, as making its class anew does not change those that are there.
    """
    told: set[tuple[str, str]] = set()
    for each in provisioners.nfs_classes:
        options, server = each.mountOptions or (), (each.parameters or {}).get("server", "")
        faults = faults_of(tuple(options), server=server)
        told |= {(each.name, fault.option) for fault in faults if fault.weight != "refused"}
        yield from _findings(Subject("class", each.name), options, lossy(options, faults))
    for volume in snapshot.volumes:
        place, options = location_of(volume), volume.spec.mountOptions or ()
        if place is None or not options:
            continue
        faults = faults_of(tuple(options), server=place.server)
        if volume.spec.accessModes == ["ReadOnlyMany"]:
            faults = tuple(fault for fault in faults if not fault.finding)
        new = [fault for fault in faults if (volume.spec.storageClassName, fault.option) not in told]
        about = Subject("volume", volume.name)
        yield from _findings(about, options, [each for each in lossy(options, new) if each.weight != "idle"])


def lossy(options: Sequence[str], faults: Iterable[OptionFault]) -> list[OptionFault]:
    """The faults; where nothing is written, nothing can be lost by it."""
    is_read_only = "ro" in (each.strip() for each in ",".join(options).split(","))
    return [fault for fault in faults if not (is_read_only and fault.finding)]


def _findings(about: Subject, options: Sequence[str], faults: Sequence[OptionFault]) -> Iterator[Finding]:
    for fault in faults:
        if fault.finding:
            edit, patch = _cure(about, options, [fault])
            yield find(fault.finding, about, variant=about.kind, option=fault.option, edit=edit, patch=patch)
    for weight, failure in _FAILURES.items():
        some = [fault for fault in faults if fault.weight == weight and not fault.finding]
        if some:
            edit, patch = _cure(about, options, some)
            yield find(
                failure,
                about,
                variant=f"{about.kind}-edit" if edit or patch else about.kind,
                reason=joined(fault.said for fault in some),
                edit=edit,
                patch=patch,
            )


def _cure(about: Subject, options: Sequence[str], faults: Sequence[OptionFault]) -> tuple[str | None, str | None]:
    """The edit of a class, or the patch of a PV, that puts all of them right; none where it is not known how."""
    changes = {}
    for fault in faults:
        if fault.instead is None or "…" in fault.instead:
            return None, None
        changes[fault.option] = fault.instead
    if about.kind == "volume":
        return None, edits.patch_options(options, changes)
    return edits.change_options(options, changes), None
