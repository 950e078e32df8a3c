"""What a Berth needs to be allowed to do, and the one command that gives what is missing."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject
from berth.kube.permissions import Permission, Right
from berth.objects.provisioners import Provisioner
from berth.objects.roles import role_manifests
from berth.reconcilers import expand, provision, purge, reclaim, sweep
from berth.texts.command import Shell, command, word

NEEDED = (
    Permission("", "namespaces", ("get",), names=("kube-system",)),
    Permission("", "events", ("create", "patch")),
    Permission("coordination.k8s.io", "leases", ("get", "create", "update"), own_namespace=True),
    Permission("", "endpoints", ("get",), own_namespace=True),
    *provision.PERMISSIONS,
    *reclaim.PERMISSIONS,
    *expand.PERMISSIONS,
    *purge.PERMISSIONS,
    *sweep.PERMISSIONS,
)
"""What the controller asks of the API server; a test compares it with programs.controller.PERMISSIONS."""

_ESSENTIAL = {
    ("list", "persistentvolumeclaims"), ("watch", "persistentvolumeclaims"), ("list", "persistentvolumes"),
    ("watch", "persistentvolumes"), ("create", "persistentvolumes"), ("list", "storageclasses"),
    ("watch", "storageclasses"),
}  # fmt: skip
"""Without these no claim is served; without others something is left out, and Berth says so at its start."""
_LOCKS = {("leases", verb) for verb in ("get", "create", "update")}


def judge_rights(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Berths that lack rights."""
    for provisioner in provisioners.known:
        lacking = snapshot.lacking.get(provisioner.account, ())
        missing = [right for right in lacking if provisioner.elects or not right.own_namespace]
        if not missing or not snapshot.trust.trusts(provisioner.account):
            continue  # a grant is printed for those only for whom more speaks than their own word: see trust
        yield find(
            "provisioner-lacks-rights" if is_stopped(missing, provisioner) else "provisioner-lacks-some-rights",
            Subject("workload", provisioner.key),
            account=provisioner.account.replace("/", ":"),
            missing=said(missing),
            grant=grant(missing, provisioner),
        )


def said(missing: Iterable[Right]) -> list[str]:
    """Rights for people, one resource after the other: `events (create, patch)`."""
    verbs: defaultdict[str, list[str]] = defaultdict(list)
    for right in missing:
        verbs[f"{right.resource} {right.name}".strip()].append(right.verb)
    return [f"{resource} ({' '.join(each)})" for resource, each in verbs.items()]


def is_stopped(missing: Iterable[Right], provisioner: Provisioner) -> bool:
    """Whether no claim is served without them. A Berth that may not use Leases takes the old lock, if it may."""
    has_old_lock = not any(right.resource == "endpoints" for right in missing)
    return any(
        (right.verb, right.resource) in _ESSENTIAL or ((right.resource, right.verb) in _LOCKS and not has_old_lock)
        for right in missing
    )


def grant(missing: Sequence[Right], provisioner: Provisioner) -> Shell:
    """One command that gives a provisioner's account exactly these rights."""
    name = f"{provisioner.name}-missing-rights"
    items = role_manifests(missing, name=name, namespace=provisioner.namespace, account=provisioner.account)
    manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, separators=(",", ":"))
    return command("echo {manifest} | kubectl apply -f -", manifest=Shell(word(manifest)))
