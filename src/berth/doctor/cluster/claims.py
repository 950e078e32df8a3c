"""Claims that stay Pending, and for which reason; expansions that wait; clones that came out empty."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from berth.doctor.cluster import edits
from berth.doctor.cluster.classes import refusal
from berth.doctor.cluster.default_class import candidate
from berth.doctor.cluster.outages import outage_in
from berth.doctor.cluster.provisioners import Provisioners, nearest
from berth.doctor.cluster.reasons import known_failures
from berth.doctor.cluster.snapshot import Snapshot, in_bytes
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject
from berth.objects import kinds, runtime
from berth.objects.translation import class_name_of, has_node, location_of, provisioned_by, storage_of
from berth.texts.text import Text

PATIENCE = 30.0
"""Seconds that a claim may wait for a provisioner that runs, before that is worth a word."""
_EMPTY = Text("empty", "空")
_PREFIX = re.compile(r'^failed to provision volume with StorageClass "[^"]*": ')


def judge_pending(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """One finding for each claim that waits. A claim that waits because of its class or its provisioner has none: the
    finding about those tells of it.
    """
    for claim in snapshot.claims:
        if claim.status.phase == "Pending" and not claim.metadata.deletionTimestamp:
            yield from pending(snapshot, provisioners, claim)
        elif claim.status.phase == "Lost":
            yield find(
                "claim-lost", Subject("claim", claim.key), Subject("volume", claim.spec.volumeName), variant="claim"
            )


def pending(snapshot: Snapshot, provisioners: Provisioners, claim: kinds.ClaimObject) -> Iterator[Finding]:
    """Why this claim is Pending."""
    about = Subject("claim", claim.key)
    name = class_name_of(claim)
    if claim.spec.volumeName:
        yield from _static(snapshot, claim)
        return
    if not name:
        if snapshot.sees("storageclasses"):
            yield from _without_class(snapshot, provisioners, claim)
        return
    of_class = snapshot.class_of.get(name)
    if of_class is None:
        if snapshot.sees("storageclasses") and not _may_find_volume(snapshot, claim, name):
            near = nearest(name, snapshot.class_of)
            edit = edits.set_field("spec.storageClassName", near) if near is not None else None
            subjects = (about, Subject("class", name))
            which = "near" if near is not None else "claim"
            yield find("class-not-found", *subjects, variant=which, nearest=near, edit=edit)
        return
    if of_class.volumeBindingMode == "WaitForFirstConsumer" and not has_node(claim):
        yield from _for_consumer(snapshot, claim)
        return
    refused = _refused(provisioners, of_class, claim)
    if refused is not None:
        yield refused
        return
    is_told = of_class.provisioner not in provisioners.names or _is_selflink(provisioners, of_class.provisioner)
    if is_told or refusal(provisioners, of_class) is not None:
        return  # told of the class, or of its provisioner, with this claim in it
    warning = next(
        (each for each in snapshot.warnings("PersistentVolumeClaim", claim) if "rovision" in each.reason), None
    )
    if _is_told_of_share(provisioners, of_class, warning):
        return
    if warning is not None:
        about_it = {"claim": claim.key, "class": of_class.name, "share": provisioners.share_of(of_class)}
        known = list(known_failures(warning, snapshot.version, **{name: it for name, it in about_it.items() if it}))
        yield from known
        if not known:
            said = _PREFIX.sub("", warning.text)
            log = provisioners.log_of(of_class.provisioner)
            told = {"reason": True, "log": log is not None}
            yield find("claim-refused", about, variant=told, evidence=[warning.text], reason=said, log=log)
        return
    if snapshot.age(claim.metadata.creationTimestamp) > PATIENCE:
        yield find("claim-waits-for-provisioner", about, variant="claim", provisioner=of_class.provisioner)


def _is_told_of_share(provisioners: Provisioners, of_class: kinds.ClassObject, warning: runtime.Event | None) -> bool:
    """Whether the claim waits for a share that does not do its work, and is told of with it."""
    outages = provisioners.outages
    said = outage_in(warning.text) if warning is not None else None
    if said is not None and said.share in outages.known:
        return True
    speaks_of_shares = warning is not None and provisioners.is_berth(of_class.provisioner)
    return not speaks_of_shares and outages.around(provisioners.share_of(of_class)) is not None


def _is_selflink(provisioners: Provisioners, name: str) -> bool:
    running = [each for each in provisioners.of(name) if each.is_running]
    return bool(running) and all(each.flavour == "selflink" for each in running)


def _without_class(snapshot: Snapshot, provisioners: Provisioners, claim: kinds.ClaimObject) -> Iterator[Finding]:
    if _may_find_volume(snapshot, claim, ""):
        return
    defaults = snapshot.defaults
    best = candidate(snapshot, provisioners, preferred=defaults[0] if defaults else None)
    is_default = best in defaults and claim.spec.storageClassName is None
    yield find(
        "claim-without-class",
        Subject("claim", claim.key),
        *((Subject("class", best.name),) if best is not None else ()),
        variant={"claim": True, "choice": best is not None, "default": is_default},
        version=snapshot.version,
        default=best.name if best is not None and is_default else None,
        edit=edits.set_field("spec.storageClassName", best.name) if best is not None else None,
    )


def _may_find_volume(snapshot: Snapshot, claim: kinds.ClaimObject, class_name: str) -> bool:
    """A PV made by hand that fits is there: the two are about to be bound."""
    wanted = in_bytes(storage_of(claim.spec.resources.requests))
    return any(
        each.status.phase == "Available"
        and each.spec.storageClassName == class_name
        and in_bytes(storage_of(each.spec.capacity)) >= wanted
        and set(claim.spec.accessModes or ()) <= set(each.spec.accessModes or ())
        and (each.spec.claimRef is None or _names(each.spec.claimRef, claim))
        for each in snapshot.volumes
    )


def _names(reference: kinds.ObjectRef, claim: kinds.ClaimObject) -> bool:
    is_named = (reference.namespace, reference.name) == (claim.namespace, claim.name)
    return is_named and reference.uid in ("", claim.metadata.uid)


def _static(snapshot: Snapshot, claim: kinds.ClaimObject) -> Iterator[Finding]:
    """The claim names the PV that it wants."""
    if not snapshot.sees("persistentvolumes"):
        return
    volume = snapshot.volume_of.get(claim.spec.volumeName)
    misfit = _misfit(claim, volume)
    if misfit is not None:
        variant, facts = misfit
        about = (Subject("claim", claim.key), Subject("volume", claim.spec.volumeName))
        yield find("static-volume-mismatch", *about, variant=variant, **facts)


def _misfit(claim: kinds.ClaimObject, volume: kinds.VolumeObject | None) -> tuple[str, dict[str, Any]] | None:
    """As which variant of the failure, and with which facts, it is told that the two don't fit; None where they do."""
    if volume is None:
        return "missing", {}
    reference = volume.spec.claimRef
    if reference is not None and not _names(reference, claim):
        owner = f"{reference.namespace}/{reference.name}"
        if owner == claim.key:
            return "earlier-claim", {}
        return "other-claim", {"owner": owner}
    wanted, offered = class_name_of(claim) or "", volume.spec.storageClassName
    if wanted != offered:
        return "other-class", {"wanted": wanted or _EMPTY, "offered": offered or _EMPTY}
    asked, there = storage_of(claim.spec.resources.requests), storage_of(volume.spec.capacity)
    if in_bytes(asked) > in_bytes(there):
        return "too-small", {"wanted": asked, "offered": there}
    modes = [each for each in claim.spec.accessModes or () if each not in (volume.spec.accessModes or ())]
    if modes:
        return "modes", {"modes": modes}
    return None


def _for_consumer(snapshot: Snapshot, claim: kinds.ClaimObject) -> Iterator[Finding]:
    if snapshot.sees("pods") and not snapshot.users.get(claim.key):
        yield find("claim-waits-for-consumer", Subject("claim", claim.key), variant="claim")


def _refused(provisioners: Provisioners, of_class: kinds.ClassObject, claim: kinds.ClaimObject) -> Finding | None:
    """What no NFS provisioner can give, and Berth refuses rather than ignores."""
    if not provisioners.is_nfs(of_class):
        return None
    spec, is_berth = claim.spec, provisioners.is_berth(of_class.provisioner)
    source = spec.dataSource or spec.dataSourceRef
    if spec.volumeMode == "Block":
        why, field, edit = "block", "volumeMode: Block", edits.set_field("spec.volumeMode", "Filesystem")
    elif spec.selector is not None:
        why, field, edit = "selector", "a selector", edits.drop_field("selector")
    elif source is not None and is_berth:
        why, field = "copy", f"a copy of {source.kind} {source.name}"
        edit = f"{edits.drop_field('dataSource')};{edits.drop_field('dataSourceRef')}"
    else:
        return None
    return find("claim-refused", Subject("claim", claim.key), variant={"asks": True, why: True}, field=field, edit=edit)


def judge_expansions(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Claims that want to grow while nobody is there who would do it."""
    if not snapshot.sees("pods", "deployments", "leases"):
        return
    for claim in snapshot.claims:
        asked, has = storage_of(claim.spec.resources.requests), storage_of(claim.status.capacity)
        if claim.status.phase != "Bound" or not has or in_bytes(asked) <= in_bytes(has):
            continue
        volume = snapshot.volume_of.get(claim.spec.volumeName)
        if volume is None or volume.spec.nfs is None:
            continue  # CSI drivers have resizers of their own
        made_by = provisioned_by(volume)
        is_served = provisioners.is_berth(made_by) and made_by in provisioners.names
        failed = [
            each for each in snapshot.warnings("PersistentVolumeClaim", claim) if each.reason == "VolumeResizeFailed"
        ]
        if not is_served or failed:
            about = [Subject("claim", claim.key)]
            if volume.spec.storageClassName:
                about.append(Subject("class", volume.spec.storageClassName))
            evidence = [each.text for each in failed[:1]]
            which = {"sizes": True, "class": volume.spec.storageClassName}
            yield find("expansion-waits", *about, variant=which, capacity=has, request=asked, evidence=evidence)


def judge_clones(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Claims that were to be copies and are bound to a new, empty directory."""
    for claim in snapshot.claims:
        source = claim.spec.dataSource or claim.spec.dataSourceRef
        volume = snapshot.volume_of.get(claim.spec.volumeName)
        if source is None or volume is None or claim.status.phase != "Bound" or volume.spec.nfs is None:
            continue
        if not provisioned_by(volume):
            continue  # bound by hand to a PV that somebody made
        original = (
            snapshot.claim_of.get(f"{claim.namespace}/{source.name}") if source.kind != "VolumeSnapshot" else None
        )
        copied = snapshot.volume_of.get(original.spec.volumeName) if original is not None else None
        place, origin = location_of(volume), location_of(copied) if copied is not None else None
        yield find(
            "clone-empty",
            Subject("claim", claim.key),
            variant={"copy": place is not None and origin is not None},
            source=f"{source.kind} {claim.namespace}/{source.name}",
            provisioner=provisioned_by(volume),
            to=place[1] if place is not None else None,
            origin=origin[1] if origin is not None else None,
        )
