"""Roles are made from the permissions that code declares: no right more, none less."""

from __future__ import annotations

from typing import Any

from berth.kube.permissions import Permission
from berth.manifests.rbac import rbac_manifests, rules

EVERYWHERE = Permission("", "persistentvolumes", ("list", "watch"))
HERE = Permission("coordination.k8s.io", "leases", ("get", "update"), own_namespace=True)
ONE = Permission("", "namespaces", ("get",), names=("kube-system",))


def rights(rule: dict[str, Any]) -> set[tuple[str, str, str, tuple[str, ...]]]:
    """Every single right that a rule gives."""
    return {
        (group, resource, verb, tuple(rule.get("resourceNames", ())))
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_rights_in_the_whole_cluster_and_in_the_own_namespace_are_kept_apart() -> None:
    assert rules([EVERYWHERE, HERE], own_namespace=False) == [
        {"apiGroups": [""], "resources": ["persistentvolumes"], "verbs": ["list", "watch"]}
    ]
    assert rules([EVERYWHERE, HERE], own_namespace=True) == [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "update"]}
    ]


def test_one_resource_is_one_rule_whoever_asks_for_it() -> None:
    more = Permission("", "persistentvolumes", ("create", "watch"))
    (rule,) = rules([EVERYWHERE, more], own_namespace=False)
    assert rule["verbs"] == ["create", "list", "watch"]


def test_a_right_on_one_object_does_not_become_one_on_all() -> None:
    wider = Permission("", "namespaces", ("list",))
    by_name = {tuple(rule.get("resourceNames", ())): rule["verbs"] for rule in rules([ONE, wider], own_namespace=False)}
    assert by_name == {("kube-system",): ["get"], (): ["list"]}


def test_the_order_of_the_tables_does_not_matter() -> None:
    tables = [EVERYWHERE, ONE, HERE, Permission("storage.k8s.io", "storageclasses", ("get",))]
    for own_namespace in (False, True):
        assert rules(tables, own_namespace=own_namespace) == rules(tables[::-1], own_namespace=own_namespace)


def test_nothing_is_given_that_was_not_declared() -> None:
    tables = [EVERYWHERE, ONE, HERE]
    declared = {
        (one.group, one.resource, verb, one.names) for one in tables for verb in one.verbs if not one.own_namespace
    }
    given = set().union(*map(rights, rules(tables, own_namespace=False)))
    assert given == declared


def test_an_iterator_of_permissions_is_read_for_both_roles() -> None:
    by_kind = {one["kind"]: one for one in rbac_manifests(iter([EVERYWHERE, HERE]), name="berth", namespace="storage")}
    assert by_kind["ClusterRole"]["rules"][0]["resources"] == ["persistentvolumes"]
    assert by_kind["Role"]["rules"][0]["resources"] == ["leases"]


def test_the_bindings_tie_the_roles_to_the_account() -> None:
    manifests = rbac_manifests([EVERYWHERE, HERE], name="berth", namespace="storage")
    by_kind = {manifest["kind"]: manifest for manifest in manifests}
    assert set(by_kind) == {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
    for binding, role in (("ClusterRoleBinding", "ClusterRole"), ("RoleBinding", "Role")):
        assert by_kind[binding]["roleRef"] == {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": role,
            "name": by_kind[role]["metadata"]["name"],
        }
        assert by_kind[binding]["subjects"] == [{"kind": "ServiceAccount", **by_kind["ServiceAccount"]["metadata"]}]
    for kind in ("ServiceAccount", "Role", "RoleBinding"):
        assert by_kind[kind]["metadata"]["namespace"] == "storage"
