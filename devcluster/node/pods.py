"""What tests do with pods: make one, wait for what becomes of it, read its log and events, run something in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from devcluster.errors import CommandFailed, DevClusterError
from devcluster.node.images import BUSYBOX

Pod = dict[str, Any]


class Cluster(Protocol):
    """What DevCluster offers for a cluster's objects."""

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]: ...

    def kubectl(self, *arguments: str) -> str: ...


class Pods:
    """Pods of one cluster. Every wait has a deadline; what it says then includes the pod's Events."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def create(
        self,
        namespace: str,
        name: str,
        command: Sequence[str] = (),
        *,
        image: str = BUSYBOX,
        container: Mapping[str, Any] | None = None,
        spec: Mapping[str, Any] | None = None,
    ) -> None:
        """Makes a pod with one container, which is not restarted. container, spec: more fields, as Kubernetes has
        them. A namespace that was made a moment ago is waited for until it has its ServiceAccount."""
        body = {
            "metadata": {"name": name},
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 1,
                "containers": [
                    {
                        "name": "main",
                        "image": image,
                        **({"command": [*command]} if command else {}),
                        **(container or {}),
                    }
                ],
                **(spec or {}),
            },
        }
        end = time.monotonic() + 10
        while True:
            try:
                self._cluster.request("POST", f"/api/v1/namespaces/{namespace}/pods", body)
                return
            except CommandFailed as error:
                too_early = "service account" in error.stderr  # it, or its token, is being made
                if not too_early or time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def get(self, namespace: str, name: str) -> Pod:
        return self._cluster.request("GET", f"/api/v1/namespaces/{namespace}/pods/{name}")

    def wait(
        self, namespace: str, name: str, condition: Callable[[Pod], bool], what: str, *, deadline: float = 30.0
    ) -> Pod:
        """The pod, once the condition holds. what: completes "the pod is not ...", for people."""
        end = time.monotonic() + deadline
        while not condition(pod := self.get(namespace, name)):
            if time.monotonic() > end:
                said = "\n".join(f"    {event['reason']}: {event['message']}" for event in self.events(namespace, name))
                raise DevClusterError(
                    f"pod {namespace}/{name} is not {what} after {deadline:.0f} s, it is {pod['status']}\n"
                    f"its Events:\n{said}"
                )
            time.sleep(0.05)
        return pod

    def wait_ready(self, namespace: str, name: str, *, deadline: float = 30.0) -> Pod:
        """The pod, once its containers run and their probes are content."""
        return self.wait(namespace, name, is_ready, "ready", deadline=deadline)

    def wait_ended(self, namespace: str, name: str, *, deadline: float = 30.0) -> int:
        """The exit code of the pod's container."""
        ended = self.wait(
            namespace, name, lambda pod: pod["status"]["phase"] in ("Succeeded", "Failed"), "ended", deadline=deadline
        )
        code: int = ended["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"]
        return code

    def output(self, namespace: str, name: str, command: Sequence[str], **fields: Any) -> tuple[int, str]:
        """Runs a command in a pod of its own (as `create` makes it) to its end; its exit code and what it printed."""
        self.create(namespace, name, command, **fields)
        return self.wait_ended(namespace, name), self.logs(namespace, name)

    def logs(self, namespace: str, name: str, *more: str) -> str:
        """What the pod's container printed. more: arguments of `kubectl logs`."""
        return self._cluster.kubectl("logs", f"--namespace={namespace}", name, *more)

    def exec(self, namespace: str, name: str, *command: str) -> str:
        """What a command prints that is run in the pod's container."""
        return self._cluster.kubectl("exec", f"--namespace={namespace}", name, "--", *command)

    def events(self, namespace: str, name: str) -> list[dict[str, Any]]:
        """The pod's Events, in no order: reason, message, type, source, ..."""
        selector = f"involvedObject.kind%3DPod%2CinvolvedObject.name%3D{name}"
        told = self._cluster.request("GET", f"/api/v1/namespaces/{namespace}/events?fieldSelector={selector}")
        events: list[dict[str, Any]] = told["items"]
        return events

    def wait_event(self, namespace: str, name: str, reason: str, *, deadline: float = 30.0) -> dict[str, Any]:
        """The pod's first Event with that reason, once there is one."""
        end = time.monotonic() + deadline
        while True:
            known = self.events(namespace, name)
            if found := next((event for event in known if event["reason"] == reason), None):
                return found
            if time.monotonic() > end:
                others = ", ".join(sorted({event["reason"] for event in known})) or "none"
                raise DevClusterError(
                    f"pod {namespace}/{name} has no Event {reason} after {deadline:.0f} s; it has {others}"
                )
            time.sleep(0.05)


def is_ready(pod: Pod) -> bool:
    """True when the pod's containers run and their probes are content."""
    conditions = pod["status"].get("conditions", ())
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
