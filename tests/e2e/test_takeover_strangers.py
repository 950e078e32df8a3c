"""`berth takeover` in a cluster with tenants: what they made is named, never touched, never given rights, and stops
nothing; whatever provisions is seen, of whichever kind it is. What fails after the hand-over is put back.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devcluster.cluster import DevCluster
from tests.cli.command import PROGRAM, environment
from tests.e2e.api import Api, Object
from tests.e2e.kubelet import Kubelet
from tests.e2e.predecessor import Predecessor, be_ready
from tests.e2e.site import RECORDS, Site
from tests.e2e.waiting import until

IMAGE = "registry.k8s.io/sig-storage/nfs-subdir-external-provisioner:v4.0.2"
RBAC = "rbac.authorization.k8s.io/v1"
PROVISIONS = [
    {"apiGroups": [""], "resources": ["persistentvolumes"], "verbs": ["get", "list", "watch", "create", "delete"]},
    {"apiGroups": [""], "resources": ["persistentvolumeclaims"], "verbs": ["get", "list", "watch", "update"]},
]


@dataclass
class Town:
    """A real old provisioner, whose account an administrator has given rights, and a tenant's namespace beside it."""

    cluster: DevCluster
    site: Site
    old: Predecessor
    evil: str
    kubelet: Kubelet

    def berth(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Without a word of which provisioner: all that can be trusted."""
        where = [] if words[0] == "doctor" else [f"--name={self.name}", f"--namespace={self.namespace}"]
        argv = [str(PROGRAM), *words, *where, f"--kubeconfig={self.cluster.kubeconfig}"]
        return subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False, env=environment({}))

    @property
    def name(self) -> str:
        return f"berth-{self.site.token}"

    @property
    def namespace(self) -> str:
        return f"{self.site.namespace}-berth"

    def plan(self) -> dict[str, Any]:
        answer = self.berth("takeover", "plan", "-o", "json")
        told: dict[str, Any] = json.loads(answer.stdout)
        findings = [one for told_of in (told, *told["shares"]) for one in told_of["findings"]]
        severities = {one["severity"] for one in findings}
        assert answer.returncode == (2 if "failure" in severities else 1 if "warning" in severities else 0), findings
        assert "failure" not in severities, findings
        return told

    def apply(self, *objects: Object) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.cluster.kubectl("apply", "-f", "-", input=json.dumps(listed))

    def bind(self, namespace: str, account: str) -> None:
        """What only an administrator can do."""
        name = f"{self.site.token}-{namespace}-{account}"
        role = {"apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": name}, "rules": PROVISIONS}
        subjects = [{"kind": "ServiceAccount", "name": account, "namespace": namespace}]
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
        binding = {**role, "kind": "ClusterRoleBinding", "roleRef": reference, "subjects": subjects}
        del binding["rules"]
        self.apply(role, binding)

    def tenants(self) -> list[Object]:
        """What the tenant has, without what changes by itself."""
        found = self.site.api.list(f"/apis/apps/v1/namespaces/{self.evil}/deployments")
        return [{"name": one["metadata"]["name"], "spec": one["spec"]} for one in found]


@pytest.fixture
def town(site: Site, cluster: DevCluster, api: Api, tmp_path: Path) -> Iterator[Town]:
    site.provisioners.clear()
    old = Predecessor(site, "nfs", f"{site.token}.example/nfs", image=IMAGE, lock="Lease")
    evil = f"{site.namespace}-evil"
    api.create("/api/v1/namespaces", {"metadata": {"name": evil}})
    kubelet = Kubelet(cluster, api, (f"{site.namespace}-berth", f"berth-{site.token}"), tmp_path)
    kubelet.predecessors = (old,)
    made = Town(cluster, site, old, evil, kubelet)
    made.bind(site.namespace, "nfs")
    with kubelet:
        until("the old pod is ready", lambda: old.deployment["status"].get("readyReplicas"))
        yield made
    for namespace in (evil, made.namespace):
        cluster.kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")
    for kind in ("clusterrole", "clusterrolebinding"):
        for one in api.list(f"/apis/{RBAC}/{kind}s"):
            if site.token in one["metadata"]["name"]:
                api.delete(f"/apis/{RBAC}/{kind}s/{one['metadata']['name']}")


def a_deployment(name: str, env: list[Object], **more: Any) -> Object:
    """A tenant's, with whatever he likes in it."""
    labels = {"app.kubernetes.io/name": "berth", "app.kubernetes.io/instance": name}
    container = {"name": "it", "image": more.get("image", IMAGE), "env": env}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": more["namespace"], "labels": more.get("labels", {})},
        "spec": {
            "replicas": more.get("replicas", 1),
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def told_by(plan: dict[str, Any]) -> dict[str, set[str]]:
    """Of each workload that the plan has findings about, their ids."""
    found: dict[str, set[str]] = {}
    for one in [*plan["findings"], *(each for share in plan["shares"] for each in share["findings"])]:
        kind, name = one["facts"].get("kind", "deployment"), one["about"][0]["name"]
        found.setdefault(f"{kind} {name}", set()).add(one["id"])
    return found


def test_a_tenants_word_counts_for_nothing(town: Town) -> None:
    site, old, evil = town.site, town.old, town.evil
    env = [
        {"name": "PROVISIONER_NAME", "value": old.provisioner},
        {"name": "NFS_SERVER", "value": "192.0.2.66"},
        {"name": "NFS_PATH", "value": "/evil"},
    ]
    berths = {"app.kubernetes.io/name": "berth", "app.kubernetes.io/instance": "cache"}
    town.apply(
        a_deployment("cache", env, namespace=evil, image="registry.example/evil/berth:1", labels=berths),
        a_deployment("fake", env, namespace=evil, replicas=0),
        a_deployment("rival", env, namespace=evil),
    )
    before = town.tenants()
    plan = town.plan()
    named = told_by(plan)
    for name in ("cache", "fake", "rival"):
        assert named[f"deployment {evil}/{name}"] == {"provisioner-not-trusted"}
    mine = next(one for one in plan["shares"] if old.provisioner in one["provisioners"])
    assert [one["name"] for one in mine["deployments"]] == ["nfs"]
    assert (mine["berth"]["namespace"], mine["berth"]["name"]) == (town.namespace, town.name)
    assert f"{evil}/cache" in town.berth("takeover", "plan").stdout

    of_class = old.of_class({"archiveOnDelete": "false"})
    answer = town.berth("takeover", "apply", "--yes", "--timeout=40", "--replicas=1")
    assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}"
    site.serve("new", of_class)
    assert town.kubelet.overlaps == []
    assert town.tenants() == before
    bound = [one for one in site.api.list(f"/apis/{RBAC}/clusterrolebindings") if evil in json.dumps(one)]
    assert bound == []
    assert site.api.get(f"/api/v1/namespaces/{evil}/serviceaccounts/cache") is None
    site.delete_claim("new")


def test_what_fails_after_the_hand_over_is_put_back_and_the_old_one_serves(town: Town) -> None:
    """Berth stands by, ready, gets the names, and does not lead with them."""
    town.kubelet.takes_no_names = True
    generation = town.old.deployment["spec"]["replicas"]
    answer = town.berth("takeover", "apply", "--yes", "--timeout=30", "--replicas=1")
    assert answer.returncode == 2, f"{answer.stdout}\n{answer.stderr}"
    steps = ("installing Berth", "1 of 1 pods ready", "scaling down", "handing ", "putting ", f"{town.old.key} is back")
    lines = answer.stdout.splitlines()
    missing = [step for step in steps if not any(line.startswith(step) for line in lines)]
    assert not missing, f"{answer.stdout}\n{answer.stderr}"
    order = [next(number for number, line in enumerate(lines) if line.startswith(step)) for step in steps]
    assert order == sorted(order)
    assert "Berth does not lead after 30 s" in answer.stderr
    assert "if it only needs more time, give --timeout 180" in answer.stderr
    assert "The old provisioner was put back" in answer.stderr
    assert "takeover apply" not in answer.stderr
    assert town.old.deployment["spec"]["replicas"] == generation == 1
    annotations = town.old.deployment["metadata"]["annotations"]
    assert not [key for key in annotations if key.startswith("berth.io/")]
    berth = town.site.api.get(f"/apis/apps/v1/namespaces/{town.namespace}/deployments/{town.name}")
    assert town.old.provisioner not in json.dumps((berth or {})["spec"])
    assert list((town.site.root / RECORDS).glob("*.json")) == []
    assert town.kubelet.overlaps == []


def test_rights_are_not_given_where_others_have_the_names_that_berth_takes_by_default(town: Town) -> None:
    """A namespace and a binding for the whole cluster that Berth's installation did not make."""
    api, old = town.site.api, town.old
    api.create("/api/v1/namespaces", {"metadata": {"name": "berth-system"}})
    try:
        argv = [str(PROGRAM), "takeover", "apply", old.key, "--yes", f"--kubeconfig={town.cluster.kubeconfig}"]
        answer = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False, env=environment({}))
        assert answer.returncode == 2
        assert "Nothing was changed" in answer.stderr
        assert "This run changed nothing" in answer.stderr
        assert old.deployment["spec"]["replicas"] == 1
        assert api.get("/api/v1/namespaces/berth-system/serviceaccounts/berth") is None
    finally:
        town.cluster.kubectl("delete", "namespace", "berth-system", "--wait=false")


CONTAINER = {"name": "p", "image": "mirror.example/storage/thing@sha256:" + "0" * 64}


def variants(token: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Ways to run a provisioner: kind, name, and what its pods are told beside a name of their own."""
    said = {"NFS_SERVER": "192.0.2.7", "NFS_PATH": "/export"}
    plain = [{"name": key, "value": value} for key, value in said.items()]

    def with_name(name: str) -> list[Object]:
        return [{"name": "PROVISIONER_NAME", "value": f"{token}.example/{name}"}, *plain]

    reference = [{"name": "PROVISIONER_NAME", "value": f"$(WHO).example/{token}"}, *plain]
    key = {"configMapKeyRef": {"name": "nfs-env", "key": "PROVISIONER_NAME"}}
    return [
        ("Deployment", "from-map", {"envFrom": [{"configMapRef": {"name": "nfs-env"}}]}),
        ("Deployment", "from-key", {"env": [{"name": "PROVISIONER_NAME", "valueFrom": key}, *plain]}),
        ("Deployment", "refers", {"env": [{"name": "WHO", "value": "x"}, *reference]}),
        ("Deployment", "missing", {"name": "nfs-client-provisioner", "envFrom": [{"secretRef": {"name": "gone"}}]}),
        ("Deployment", "by-args", {"command": ["sh", "-c", "PROVISIONER_NAME=a/b NFS_SERVER=h NFS_PATH=/e exec /p"]}),
        ("StatefulSet", "stateful", {"env": with_name("stateful")}),
        ("DaemonSet", "daemon", {"env": with_name("daemon")}),
        ("ReplicaSet", "replicas", {"env": with_name("replicas")}),
        ("Job", "job", {"env": with_name("job")}),
        ("CronJob", "cron", {"env": with_name("cron")}),
        ("Pod", "bare", {"env": with_name("bare")}),
    ]  # fmt: skip


def manifest(kind: str, name: str, namespace: str, container: Object) -> Object:
    labels = {"app": name}
    pod = {
        "schedulerName": "nobody",
        "restartPolicy": "Never" if "Job" in kind else "Always",
        "containers": [container],
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec: Object = {"selector": {"matchLabels": labels}, "template": template}
    versions = {"Job": "batch/v1", "CronJob": "batch/v1beta1", "Pod": "v1"}
    match kind:
        case "Pod":
            spec = pod
        case "Job":
            spec = {"template": template}
        case "CronJob":
            spec = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": template}}}
        case "StatefulSet":
            spec["serviceName"] = name
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": versions.get(kind, "apps/v1"), "kind": kind, "metadata": metadata, "spec": spec}


def test_whatever_provisions_is_named_read_or_called_unclear(town: Town) -> None:
    site, api, there = town.site, town.site.api, town.evil
    name_of_map = f"{site.token}.example/database"
    env = {"PROVISIONER_NAME": name_of_map, "NFS_SERVER": "192.0.2.7", "NFS_PATH": "/export"}
    town.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "nfs-env", "namespace": there}, "data": env}
    )
    made = [
        (kind, name, manifest(kind, name, there, {**CONTAINER, **told})) for kind, name, told in variants(site.token)
    ]
    town.apply(*(one for _, _, one in made))
    first = told_by(town.plan())  # of a tenant: named, each of them
    assert [name for kind, name, _ in made if f"{kind.lower()} {there}/{name}" not in first] == []

    town.bind(there, "default")  # and now an administrator's word
    answer = town.berth("takeover", "plan", "-o", "json")
    plan = json.loads(answer.stdout)
    read = {one["name"]: share["provisioners"] for share in plan["shares"] for one in share["deployments"]}
    assert name_of_map in read["from-map"]
    assert f"x.example/{site.token}" in read["refers"]
    unclear = {about for about, ids in told_by(plan).items() if "provisioner-unclear" in ids}
    assert [n for k, n, _ in made if n not in read and f"{k.lower()} {there}/{n}" not in unclear] == []

    of_class = site.make_class({}, provisioner=name_of_map)
    stateful = site.make_class({}, provisioner=f"{site.token}.example/stateful")

    def pods() -> list[Object]:
        found = api.list(f"/api/v1/namespaces/{there}/pods")
        return [one for one in found if one["metadata"].get("labels", {}).get("app") in ("from-map", "stateful")]

    until("the pods are there", lambda: len(pods()) == 2)
    for pod in pods():
        be_ready(api, pod)
    findings = json.loads(town.berth("doctor", "-o", "json").stdout)["findings"]
    # That nobody answers for their share, in a network that is nobody's, is told of the share.
    of_classes = [one for one in findings if one["about"] and one["about"][0]["name"] in (of_class, stateful)]
    assert of_classes == [], "they are served"
