"""Those that call themselves provisioners by nothing but their own word: see objects.trust."""

from __future__ import annotations

from collections.abc import Iterator

from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject


def judge_trust(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Workloads that call themselves provisioners, while nothing but their own word speaks for it."""
    used = {each.provisioner for each in snapshot.classes}
    for each in provisioners.known:
        names = [name for name in each.names if name in used or each.flavour == "berth"]
        counts = each.replicas or each.pods or any(name in used - provisioners.names for name in names)
        if names and counts and snapshot.trust.distrusts(each.account):
            yield find(
                "provisioner-untrusted",
                Subject("workload", each.key),
                names=names,
                account=each.account.replace("/", ":"),
                ref=each.ref,
            )


def image_of(provisioners: Provisioners, snapshot: Snapshot) -> str:
    """The image of a Berth that runs and is trusted; empty where none is."""
    trusted = (each for each in provisioners.known if each.flavour == "berth" and each.is_running)
    return next((each.image for each in trusted if snapshot.trust.trusts(each.account)), "")
