"""`berth takeover` where pods really run and images really fail to be pulled: the old provisioner is not stopped before
Berth is ready, what goes wrong puts it back, and the doctor says at each moment what is true.
"""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from devcluster.cluster import DevCluster
from devcluster.node.images import BUSYBOX
from devcluster.node.node import Node
from tests.cli.command import PROGRAM, environment
from tests.e2e.api import Api, Object
from tests.e2e.waiting import until
from tests.running import running

NOWHERE = "localhost:1/nowhere/berth:1"
"""An image that no registry has."""


@dataclass
class Town:
    """An old provisioner whose pods run, a class of its, and the Berth that is to take over."""

    cluster: DevCluster
    api: Api
    node: Node
    namespace: str
    overlaps: list[tuple[list[str], list[str]]] = field(default_factory=list)
    """What was seen of old pods and pods of Berth with their name at the same moment."""

    @property
    def provisioner(self) -> str:
        return f"{self.namespace}.example/nfs"

    @property
    def berth_namespace(self) -> str:
        return f"{self.namespace}-berth"

    def berth(self, *words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        argv = [str(PROGRAM), *words, f"--kubeconfig={self.cluster.kubeconfig}"]
        return subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False, env=environment({}))

    def apply_words(self, image: str, patience: int = 60) -> list[str]:
        where = [f"--name={self.namespace}", f"--namespace={self.berth_namespace}", "--replicas=1"]
        # It is there since this moment, and kubelets tell of new images once in a while.
        of_image = [f"--image={image}", "--image-is-there"]
        return ["takeover", "apply", f"{self.namespace}/old", "--yes", f"--timeout={patience}", *where, *of_image]

    def old(self) -> Object:
        found = self.api.get(f"/apis/apps/v1/namespaces/{self.namespace}/deployments/old")
        assert found is not None
        return found

    def is_old_ready(self) -> bool:
        old = self.old()
        return bool(old["spec"]["replicas"] == old["status"].get("readyReplicas", 0) == 1)

    def names(self) -> str:
        """The names that Berth's Deployment answers to."""
        found = self.api.get(f"/apis/apps/v1/namespaces/{self.berth_namespace}/deployments/{self.namespace}")
        assert found is not None
        return str(found["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"])

    def doctor(self) -> str:
        """What the doctor says of this town, apart from notes."""
        findings = json.loads(self.berth("doctor", "-o", "json").stdout)["findings"]
        told = [one for one in findings if one["severity"] != "note" and self.namespace in json.dumps(one)]
        return "\n".join(json.dumps(one) for one in told)

    def look(self) -> None:
        """Looks for two at work on one name."""
        old = [pod["metadata"]["name"] for pod in self._pods(self.namespace)]
        new = [
            pod["metadata"]["name"]
            for pod in self._pods(self.berth_namespace)
            if self.provisioner in pod["spec"]["containers"][0]["env"][0]["value"].split(",")
        ]
        if old and new:
            self.overlaps.append((old, new))

    def _pods(self, namespace: str) -> list[Object]:
        pods = self.api.list(f"/api/v1/namespaces/{namespace}/pods")
        return [one for one in pods if one["status"].get("phase") not in ("Succeeded", "Failed")]

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Looks again and again while something goes on."""
        ended = threading.Event()

        def go_on() -> None:
            while not ended.wait(0.1):
                self.look()

        thread = threading.Thread(target=go_on, name="watching", daemon=True)
        thread.start()
        yield
        ended.set()
        thread.join()


def a_deployment(town: Town, image: str, replicas: int = 1) -> Object:
    """The old provisioner. Its program is nobody's; that it is ready, and ends, is real."""
    environment = {"PROVISIONER_NAME": town.provisioner, "NFS_SERVER": town.node.nfs.host,
                   "NFS_PATH": town.node.nfs.export}  # fmt: skip
    container = {
        "name": "nfs-client-provisioner",
        "image": image,
        "command": ["sleep", "9999"],
        "env": [{"name": key, "value": value} for key, value in environment.items()],
    }
    labels = {"app": "old"}
    template = {"metadata": {"labels": labels}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]}}
    return {"metadata": {"name": "old"}, "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                                                  "strategy": {"type": "Recreate"}, "template": template}}  # fmt: skip


@pytest.fixture
def town(cluster: DevCluster, api: Api, node: Node, namespace: str) -> Iterator[Town]:
    made = Town(cluster, api, node, namespace)
    of_class = {"metadata": {"name": namespace}, "provisioner": made.provisioner}
    api.create("/apis/storage.k8s.io/v1/storageclasses", of_class)
    api.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", a_deployment(made, BUSYBOX))
    name = f"{namespace}-old"
    verbs = ("--verb=get,list,watch,create,delete", "--resource=persistentvolumes,persistentvolumeclaims")
    cluster.kubectl("create", "clusterrole", name, *verbs)
    subject = f"--serviceaccount={namespace}:default"
    cluster.kubectl("create", "clusterrolebinding", name, f"--clusterrole={name}", subject)
    until("the old pod is ready", made.is_old_ready)
    yield made
    left = [
        f"{kind}/{one}" for kind in ("clusterrole", "clusterrolebinding") for one in (namespace, f"{namespace}-old")
    ]
    left.append(f"storageclass/{namespace}")
    left.append(f"namespace/{made.berth_namespace}")
    cluster.kubectl("delete", "--ignore-not-found", "--wait=false", *left)


def test_the_old_one_works_until_berth_is_ready_and_again_when_it_is_not(town: Town, berth_image: str) -> None:
    generation = town.old()["metadata"]["generation"]
    failed = town.berth(*town.apply_words(NOWHERE, patience=10))
    assert failed.returncode == 2
    assert "Berth is not ready after 10 s" in failed.stderr
    assert "The old provisioner serves as before: it was not touched" in failed.stderr
    assert "takeover apply" not in failed.stderr, "the command that failed is no advice"
    assert town.old()["metadata"]["generation"] == generation
    assert town.is_old_ready()
    told = town.doctor()
    assert "berth-stands-by-not-ready" in told
    assert NOWHERE in told
    assert "v4.0.2" not in told
    assert "--replicas=" not in told

    with town.watched():
        done = town.berth(*town.apply_words(berth_image))
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert town.provisioner in town.names()
    assert town.old()["spec"]["replicas"] == 0
    claim = {"metadata": {"name": "new"}, "spec": {"storageClassName": town.namespace, "accessModes": ["ReadWriteMany"],
                                                   "resources": {"requests": {"storage": "1Gi"}}}}  # fmt: skip
    claims = f"/api/v1/namespaces/{town.namespace}/persistentvolumeclaims"
    town.api.create(claims, claim)
    until("the claim is bound", lambda: (town.api.get(f"{claims}/new") or {})["status"].get("phase") == "Bound")
    assert town.doctor() == ""

    back = town.berth("takeover", "revert", f"{town.namespace}/old", "--yes")
    assert back.returncode == 0, f"{back.stdout}\n{back.stderr}"
    assert town.is_old_ready()
    assert town.provisioner not in town.names(), "whoever scales Berth up must not set two to work on one name"
    assert town.doctor() == ""
    assert town.overlaps == []
    print(done.stdout)


def test_killed_in_the_middle_it_is_put_back_or_gone_on_with_by_the_next_run(town: Town, berth_image: str) -> None:
    argv = [str(PROGRAM), *town.apply_words(berth_image), f"--kubeconfig={town.cluster.kubeconfig}"]
    env = environment({"PYTHONUNBUFFERED": "1"})
    with running(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("handing "):
                process.send_signal(signal.SIGKILL)
    until("the old one is down", lambda: town.old()["spec"]["replicas"] == 0)
    town.cluster.kubectl("-n", town.berth_namespace, "scale", "deployment", town.namespace, "--replicas=0")
    told = town.doctor()
    assert "takeover-unfinished" in told
    assert "--replicas=" not in told

    again = town.berth(*town.apply_words(NOWHERE, patience=10))
    assert again.returncode == 2
    assert f"{town.namespace}/old is back, scaled up to 1 pod as before" in again.stdout
    until("the old pod is ready", town.is_old_ready)
    assert town.provisioner not in town.names()

    with town.watched():
        done = town.berth(*town.apply_words(berth_image))
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert town.overlaps == []


def test_a_way_back_does_not_wait_for_what_never_worked(town: Town, berth_image: str) -> None:
    deployment = f"/apis/apps/v1/namespaces/{town.namespace}/deployments/old"
    town.api.patch(deployment, a_deployment(town, "localhost/nowhere/old:1"))
    until("the old pod is not ready", lambda: town.old()["status"].get("readyReplicas", 0) == 0)
    plan = town.berth("takeover", "plan", f"{town.namespace}/old")
    assert "no pod is ready" in plan.stdout
    done = town.berth(*town.apply_words(berth_image))
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    back = town.berth("takeover", "revert", f"{town.namespace}/old", "--yes", "--timeout=3600", timeout=100)
    assert back.returncode == 0, f"{back.stdout}\n{back.stderr}"
    assert "it had no ready pod before the take-over either, so it is not waited for" in back.stdout
    assert town.old()["spec"]["replicas"] == 1

    def said() -> str:
        told = town.doctor()
        return told if f"{town.namespace}/old" in told else ""

    # Once the node has tried to get the image: a pod that was just made is no news.
    told = until("the doctor tells of the old one", said, deadline=90.0)
    assert town.berth_namespace not in told, "Berth is not to be started beside the old one"
