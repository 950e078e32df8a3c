"""Whose word counts: only what an administrator can have made proves anything."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from berth.objects.roles import ClusterRole, ClusterRoleBinding
from berth.objects.trust import Trust, proven

LIST = {"apiGroups": [""], "resources": ["persistentvolumeclaims"], "verbs": ["get", "list"]}
CREATE = {"apiGroups": [""], "resources": ["persistentvolumes"], "verbs": ["create"]}
NFS = {"kind": "ServiceAccount", "namespace": "a", "name": "nfs"}


def role(name: str, *rules: dict[str, Any]) -> ClusterRole:
    return msgspec.convert({"metadata": {"name": name}, "rules": list(rules)}, ClusterRole)


def binding(of: str, *subjects: dict[str, str], **labels: str) -> ClusterRoleBinding:
    named = {key.replace("_", "/"): value for key, value in labels.items()}
    content = {"metadata": {"name": of, "labels": named}, "roleRef": {"name": of}, "subjects": list(subjects)}
    return msgspec.convert(content, ClusterRoleBinding)


@pytest.mark.parametrize(
    ("rules", "is_able", "is_meant"),
    [
        ([LIST, CREATE], True, True),
        ([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}], True, True),
        ([CREATE], False, True),
        ([LIST, {**CREATE, "verbs": ["delete", "patch"]}], False, True),
        ([LIST, {**CREATE, "resourceNames": ["one"]}], False, False),
        ([LIST, {**CREATE, "apiGroups": ["apps"]}], False, False),
        ([LIST, {**CREATE, "verbs": ["list"]}], False, False),
        ([], False, False),
    ],
    ids=[
        "both",
        "anything",
        "claims unseen",
        "it makes none",
        "one of them",
        "another group",
        "it only looks",
        "nothing",
    ],
)
def test_an_account_is_proven_by_what_its_role_lets_it_do(
    rules: list[dict[str, Any]], is_able: bool, is_meant: bool
) -> None:
    given = [binding("r", NFS)], [role("r", *rules)]
    assert (bool(proven(*given, "able")), bool(proven(*given, "meant"))) == (is_able, is_meant)


@pytest.mark.parametrize(
    ("subject", "is_trusted"),
    [
        (NFS, True),
        ({"kind": "User", "name": "system:serviceaccount:a:nfs"}, True),
        ({"kind": "Group", "name": "system:serviceaccounts:a"}, True),
        ({"kind": "Group", "name": "system:serviceaccounts:b"}, False),
        ({"kind": "Group", "name": "system:serviceaccounts"}, False),
        ({"kind": "Group", "name": "system:authenticated"}, False),
        ({"kind": "User", "name": "a/nfs"}, False),
        ({"kind": "User", "name": "system:serviceaccount:a:*"}, False),
        ({**NFS, "namespace": "b"}, False),
        ({"kind": "ServiceAccount", "name": "nfs"}, False),
    ],
)
def test_of_whom_a_binding_speaks(subject: dict[str, str], is_trusted: bool) -> None:
    assert Trust(proven([binding("r", subject)], [role("r", LIST, CREATE)], "able")).trusts("a/nfs") is is_trusted


def test_two_bindings_prove_together_what_neither_does_alone() -> None:
    roles = [role("see", LIST), role("make", CREATE)]
    all_of_a = {"kind": "Group", "name": "system:serviceaccounts:a"}
    assert proven([binding("see", NFS), binding("make", NFS)], roles, "able") == {"a/nfs"}
    assert proven([binding("see", all_of_a), binding("make", NFS)], roles, "able") == {"a/nfs"}
    assert proven([binding("see", NFS), binding("gone", NFS)], roles, "able") == frozenset()


def test_berths_own_binding_says_whom_it_is_meant_for_whatever_its_role_lacks() -> None:
    label = {"app.kubernetes.io_name": "berth"}
    assert proven([binding("berth", NFS, **label)], [], "meant") == {"a/nfs"}
    assert proven([binding("berth", NFS, **label)], [], "able") == frozenset()
    all_of_a = {"kind": "Group", "name": "system:serviceaccounts:a"}
    assert proven([binding("berth", all_of_a, **label)], [], "meant") == frozenset()


def test_what_the_administrator_named_counts_in_any_case_and_nothing_else_by_the_same_name() -> None:
    trust = Trust(frozenset(), accounts=frozenset({"a/nfs"}), workloads=frozenset({"b/other"}))
    assert trust.trusts("a/nfs")
    assert trust.trusts("b/any", workload="b/other")
    assert not trust.trusts("b/other")
    assert not trust.trusts("x/y", workload="a/nfs")


def test_where_bindings_can_not_be_read_nobody_is_trusted_and_nobody_distrusted() -> None:
    assert not Trust().trusts("a/nfs")
    assert not Trust().distrusts("a/nfs")
    assert Trust(frozenset()).distrusts("a/nfs")
