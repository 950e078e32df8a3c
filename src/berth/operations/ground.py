"""The ground an installation stands on: its namespace, and who says that Berth may have rights there.

Whoever owns the namespace owns Berth's rights: he can run what he likes as its ServiceAccount. On a shared cluster
tenants make namespaces, so a name proves nothing, nor does a label alone. What proves something is a cluster-scoped
binding, which only an administrator can have made, or that Berth made the namespace and nobody else was let into it.
"""

from __future__ import annotations

from dataclasses import dataclass

from berth.findings.finding import Finding, Subject
from berth.kube.manifest import Manifest, ManifestApi, place
from berth.manifests.labels import MANAGED_BY
from berth.operations.errors import Stopped
from berth.operations.findings import find
from berth.operations.installation import read_if_there
from berth.operations.owner import is_helms, is_own, left_to_helm, left_to_others

RBAC = "rbac.authorization.k8s.io/v1"
WORKSPACE = "kubesphere.io/workspace"
_OF_THE_SYSTEM = ("", "system-workspace")


@dataclass(frozen=True, slots=True)
class Ground:
    """What was found where an installation is to be."""

    has_namespace: bool
    is_bound: bool
    """An administrator has given rights to the ServiceAccount of this name here: what runs under it is believed."""
    has_stale_binding: bool = False
    """A binding is left from an earlier namespace of that name, or does not give Berth's rights."""


async def look_at_ground(api: ManifestApi, name: str, namespace: str, *, uses_namespace: bool) -> Ground:
    """Stopped where the namespace is another's and uses_namespace does not say that it may be; where the name is taken
    by an installation elsewhere, by Helm or by somebody else. Changes nothing.
    """
    home = await read_if_there(api, place("v1", "Namespace", namespace))
    binding = await _binding(api, name, namespace)
    is_bound = binding is not None and home is not None and _gives_rights(binding, name) and _is_older(home, binding)
    if home is None:
        if uses_namespace:
            raise Stopped(find("namespace-missing", Subject("namespace", namespace), variant="install"))
        return Ground(has_namespace=False, is_bound=False, has_stale_binding=binding is not None)
    if home["metadata"].get("deletionTimestamp"):
        raise Stopped(find("namespace-ends", Subject("namespace", namespace), variant="install"))
    if not uses_namespace and not is_bound:
        await _check_home(api, home)
    return Ground(has_namespace=True, is_bound=is_bound, has_stale_binding=binding is not None and not is_bound)


async def _binding(api: ManifestApi, name: str, namespace: str) -> Manifest | None:
    """The ClusterRoleBinding of that installation; None without one. Stopped when it is another's."""
    binding = await read_if_there(api, place(RBAC, "ClusterRoleBinding", name))
    if binding is None:
        return None
    if is_helms(binding):
        raise left_to_helm("ClusterRoleBinding", name, binding, "get values")
    if not is_own(binding, name):
        raise left_to_others("ClusterRoleBinding", name)
    check_is_here(binding, name, namespace)
    return binding


def check_is_here(binding: Manifest, name: str, namespace: str) -> None:
    """Stopped when the binding of an installation says that it is in another namespace."""
    if not accounts(binding) or (namespace, name) in accounts(binding):
        return
    there = ", ".join(sorted(f"{one}/{account}" for one, account in accounts(binding)))
    raise Stopped(find("installed-elsewhere", Subject("workload", f"{namespace}/{name}"), there=there))


def _gives_rights(binding: Manifest, name: str) -> bool:
    return accounts(binding) != set() and binding["roleRef"]["name"] == name


def accounts(binding: Manifest) -> set[tuple[str, str]]:
    """The service accounts that a binding gives its role to: namespace and name."""
    subjects = binding.get("subjects") or []
    return {(one.get("namespace", ""), one["name"]) for one in subjects if one["kind"] == "ServiceAccount"}


async def _check_home(api: ManifestApi, home: Manifest) -> None:
    """Stopped unless the namespace is Berth's by an administrator's binding, or made by Berth and nobody else's."""
    namespace = home["metadata"]["name"]
    bindings = (await api.read(place(RBAC, "ClusterRoleBinding"), labels=f"{MANAGED_BY}=berth"))["items"]
    if any(namespace in {one for one, _ in accounts(each)} and _is_older(home, each) for each in bindings):
        return
    if (home["metadata"].get("labels") or {}).get(MANAGED_BY) != "berth":
        raise Stopped(find("namespace-of-others", Subject("namespace", namespace), variant="unmade"))
    if (found := await _sign_of_others(api, home)) is not None:
        raise Stopped(found)


async def _sign_of_others(api: ManifestApi, home: Manifest) -> Finding | None:
    """Who else has a say in a namespace that calls itself Berth's: its label can be anybody's writing."""
    namespace, labels = home["metadata"]["name"], home["metadata"]["labels"]
    about = Subject("namespace", namespace)
    if labels.get(WORKSPACE, "") not in _OF_THE_SYSTEM:
        return find("namespace-of-others", about, variant="workspace", workspace=labels[WORKSPACE])
    for one in (await api.read(place(RBAC, "RoleBinding", namespace=namespace)))["items"]:
        for subject in one.get("subjects") or []:
            is_systems = subject["kind"] == "ServiceAccount" or subject["name"].startswith("system:")
            if not is_systems:
                whom, name = f"{subject['kind']} {subject['name']}", one["metadata"]["name"]
                return find("namespace-of-others", about, variant="lets-in", binding=name, whom=whom)
    return None


def _is_older(home: Manifest, binding: Manifest) -> bool:
    """Whether the namespace was there when the binding was made: later, it is another one that took the name."""
    then, since = home["metadata"]["creationTimestamp"], binding["metadata"]["creationTimestamp"]
    return bool(then <= since)
