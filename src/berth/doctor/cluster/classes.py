"""Classes that nobody serves, that Berth refuses, or that mount dangerously."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from berth.doctor.cluster import edits
from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject
from berth.objects import kinds
from berth.objects.translation import class_name_of, location_of
from berth.volumes.errors import Refused
from berth.volumes.parameters import mountable_address, parse_parameters

_SUBJECTS = 20


def judge_classes(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Classes of NFS without a live provisioner. Other storage is judged only where its claims wait."""
    if not snapshot.sees("pods", "deployments", "leases", "storageclasses"):
        return
    waiting: dict[str, list[kinds.ClaimObject]] = {}
    for claim in snapshot.claims:
        if claim.status.phase == "Pending" and not claim.metadata.deletionTimestamp:
            waiting.setdefault(claim.spec.storageClassName or "", []).append(claim)
    for each in snapshot.classes:
        claims = waiting.get(each.name, [])
        if each.provisioner in provisioners.names or provisioners.of(each.provisioner) or not provisioners.is_nfs(each):
            continue  # of those that are there and don't run, provisioners.py tells
        if any(one.is_running for one in provisioners.unclear) or (provisioners.is_outside and not claims):
            continue  # whoever says its names nowhere, or runs outside of the cluster, may answer to this one, too
        yield _unserved(snapshot, provisioners, each, claims)


def _unserved(
    snapshot: Snapshot, provisioners: Provisioners, of_class: kinds.ClassObject, claims: list[kinds.ClaimObject]
) -> Finding:
    name = of_class.provisioner
    near = provisioners.nearest(name)
    meant = provisioners.nearest_name(name)
    is_near = near is not None and meant in near.names
    berth = near if is_near and near is not None and near.flavour == "berth" else None
    if meant is None:
        berths = (each for each in provisioners.known if each.flavour == "berth" and each.is_running)
        berth = next((each for each in berths if not snapshot.trust.distrusts(each.account)), None)
    server, path = _share_of(snapshot, of_class)
    about = [Subject("class", of_class.name), *(Subject("claim", each.key) for each in claims[:_SUBJECTS])]
    can_answer = berth is not None and berth.kind == "Deployment"
    if berth is not None and can_answer:
        about.insert(1, Subject("workload", berth.key))
    return find(
        "class-no-provisioner",
        *about,
        variant={
            "near": meant is not None,
            "share": server and path,
            "rename": meant is not None and berth is None,
            "berth": can_answer,
        },
        evidence=[f"provisioner: {name}"],
        provisioner=name,
        nearest=meant,
        answers=",".join([*berth.names, name]) if berth is not None else None,
        edit=edits.set_field("provisioner", meant) if meant is not None else None,
        server=server,
        path=path,
    )


def _share_of(snapshot: Snapshot, of_class: kinds.ClassObject) -> tuple[str, str]:
    """Server and export of a class: its own parameters', else what its PVs have in common."""
    parameters = of_class.parameters or {}
    if parameters.get("server") and parameters.get("share"):
        return parameters["server"], parameters["share"]
    places = [
        (place[0], place[1].rpartition("/")[0])
        for each in snapshot.volumes
        if each.spec.storageClassName == of_class.name and (place := location_of(each)) is not None
    ]
    return Counter(places).most_common(1)[0][0] if places else ("", "")


def judge_parameters(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Classes of a Berth whose parameters or mount options it refuses."""
    for each in snapshot.classes:
        refused = refusal(provisioners, each)
        if refused is not None and refused.field != "mountOptions":  # options are told by judge_options
            claims = [claim for claim in snapshot.claims if _waits_for(claim, each)]
            yield find(
                "class-parameter-refused",
                Subject("class", each.name),
                *(Subject("claim", claim.key) for claim in claims[:_SUBJECTS]),
                variant={"refused": True, "class": True, "rename": refused.suggestion},
                reason=refused.text,
                edit=edits.rename_key(refused.parameter or "", refused.suggestion) if refused.suggestion else None,
            )


def refusal(provisioners: Provisioners, of_class: kinds.ClassObject) -> Refused | None:
    """Why Berth refuses a class of its own; None where it takes it, or the class is another's."""
    if not provisioners.is_berth(of_class.provisioner):
        return None
    try:
        parameters = parse_parameters(of_class.parameters or {}, server="any", export="/")
        mountable_address(parameters.server, parameters.export, tuple(of_class.mountOptions or ()))
    except Refused as refused:
        return refused
    return None


def _waits_for(claim: kinds.ClaimObject, of_class: kinds.ClassObject) -> bool:
    is_pending = claim.status.phase == "Pending" and not claim.metadata.deletionTimestamp
    return is_pending and not claim.spec.volumeName and class_name_of(claim) == of_class.name
