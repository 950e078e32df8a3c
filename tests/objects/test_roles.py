"""Roles to apply give the rights that they are made of, to the account that is named."""

from __future__ import annotations

from berth.kube.permissions import Right
from berth.objects.roles import role_manifests, rules_of

READ = Right("get", "", "persistentvolumes")
WATCH = Right("watch", "", "persistentvolumes")
ONE = Right("get", "", "namespaces", "kube-system")
LEASE = Right("update", "coordination.k8s.io", "leases", own_namespace=True)


def test_one_resource_is_one_rule_in_the_order_of_the_rights() -> None:
    assert rules_of([WATCH, ONE, READ, WATCH, LEASE], own_namespace=False) == [
        {"apiGroups": [""], "resources": ["persistentvolumes"], "verbs": ["watch", "get"]},
        {"apiGroups": [""], "resources": ["namespaces"], "resourceNames": ["kube-system"], "verbs": ["get"]},
    ]


def test_a_role_that_would_give_nothing_is_left_out() -> None:
    made = role_manifests([READ], name="more", namespace="storage", account="other/berth")
    assert [each["kind"] for each in made] == ["ClusterRole", "ClusterRoleBinding"]
    made = role_manifests([LEASE], name="more", namespace="storage", account="other/berth")
    assert [each["kind"] for each in made] == ["Role", "RoleBinding"]


def test_an_installation_has_all_its_roles_whatever_they_give() -> None:
    made = role_manifests([], name="berth", namespace="storage", account="storage/berth", with_empty=True)
    assert [each["kind"] for each in made] == ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]


def test_the_account_may_be_in_another_namespace_than_the_role() -> None:
    _, binding = role_manifests([LEASE], name="more", namespace="storage", account="other/berth")
    assert binding["metadata"] == {"name": "more", "namespace": "storage"}
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "berth", "namespace": "other"}]
