"""What stands between people and their claims: webhooks that are gone, KubeSphere's Accessors."""

from __future__ import annotations

from collections.abc import Iterator

from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject
from berth.objects import admission
from berth.objects.translation import class_name_of

_STORAGE = ("persistentvolumeclaims", "persistentvolumes", "pods", "storageclasses")
_WORKSPACE = "kubesphere.io/workspace"


def judge_webhooks(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Webhooks that must be asked about claims, PVs or pods, and that nobody answers."""
    for configuration in snapshot.webhooks:
        kind = f"{type(configuration).__name__.lower()}webhookconfiguration"
        for hook in configuration.webhooks or ():
            service, resources = hook.clientConfig.service, _asked(hook)
            if hook.failurePolicy != "Fail" or service is None or not resources:
                continue
            key = f"{service.namespace}/{service.name}"
            if key in snapshot.unserved:
                yield find(
                    "webhook-unreachable",
                    Subject("webhook", hook.name),
                    configuration=f"{kind}/{configuration.name}",
                    configuration_ref=f"{kind}/{configuration.name}",
                    resources=resources,
                    service=key,
                    service_namespace=service.namespace,
                )


def _asked(hook: admission.Webhook) -> list[str]:
    found: dict[str, None] = {}
    for rule in hook.rules or ():
        groups, operations = rule.apiGroups or (), rule.operations or ()
        if not {"CREATE", "*"} & set(operations):
            continue
        for resource in _STORAGE:
            group = "storage.k8s.io" if resource == "storageclasses" else ""
            if {resource, "*", "*/*"} & set(rule.resources or ()) and {group, "*"} & set(groups):
                found[resource] = None
    return list(found)


def judge_accessors(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Namespaces with claims of a class whose Accessors no longer let them: the next claim is refused."""
    used = {(claim.namespace, class_name_of(claim) or "") for claim in snapshot.claims}
    for namespace, class_name in sorted(used):
        accessor = refusing(snapshot, namespace, class_name)
        if accessor is not None:
            yield accessor_finding(namespace, class_name, accessor)


def accessor_finding(namespace: str, class_name: str, accessor: str) -> Finding:
    """The finding about a namespace that may not use a class."""
    return find("claim-not-allowed", Subject("namespace", namespace), Subject("class", class_name), accessor=accessor)


def refusing(snapshot: Snapshot, namespace: str, class_name: str) -> str | None:
    """The Accessor that keeps a namespace from a class; None where all let it."""
    found = next((each for each in snapshot.namespaces if each.name == namespace), None)
    if found is None or not class_name:
        return None
    for accessor in snapshot.accessors:
        if accessor.spec.storageClassName != class_name:
            continue
        labels = found.metadata.labels or {}
        workspace = labels.get(_WORKSPACE, "")
        selector = accessor.spec.namespaceSelector
        if selector is not None and not _allows(selector, found.name, labels):
            return accessor.name
        selector = accessor.spec.workspaceSelector
        if selector is not None and workspace and not _allows(selector, workspace, None):
            return accessor.name
    return None


def _allows(selector: admission.Selector, name: str, labels: dict[str, str] | None) -> bool:
    """Whether one of the selector's alternatives holds. Those on a workspace's own labels are not read: they count."""
    fields, by_label = selector.fieldSelector or [], selector.labelSelector or []
    if not fields and not by_label:
        return True
    if any(all(_holds(one, name) for one in each.fieldExpressions or ()) for each in fields):
        return True
    if labels is None:
        return bool(by_label)
    return any(all(_holds(one, labels.get(one.key)) for one in each.matchExpressions or ()) for each in by_label)


def _holds(expression: admission.Expression, value: str | None) -> bool:
    if expression.field and expression.field != "Name":
        return True
    match expression.operator:
        case "In":
            return value in (expression.values or ())
        case "NotIn":
            return value not in (expression.values or ())
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return True
