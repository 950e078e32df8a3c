"""What kubelets would do where there is no node: a predecessor's pods are ready and renew their lock, Berth's are
`berth run` with exactly the environment and the account of their Deployment.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from devcluster.cluster import DevCluster
from tests.e2e.api import Api, ApiError, Object
from tests.e2e.controller import Controller
from tests.e2e.predecessor import Predecessor, be_ready

_LOOK = 0.2


class Kubelet:
    """Use it with `with`: a thread of its own looks at the pods again and again."""

    def __init__(self, cluster: DevCluster, api: Api, berth: tuple[str, str], directory: Path) -> None:
        """berth: namespace and name of the installation. directory: for the logs of its containers."""
        self.predecessors: Sequence[Predecessor] = ()
        self.controllers: list[Controller] = []
        """Every container of Berth's that was started."""
        self.takes_no_names = False
        """Whether pods of Berth with a predecessor's name never start."""
        self.overlaps: list[str] = []
        """Pods of Berth that worked under a name of a predecessor that had pods."""
        self._cluster = cluster
        self._api = api
        self._namespace, self._name = berth
        self._directory = directory
        self._running: Controller | None = None
        self._hosted = ""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kubelet", daemon=True)
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join()
        if self._running is not None:
            self._running.stop()
        if self._failure is not None and error is None:
            raise self._failure

    def _run(self) -> None:
        try:
            while not self._ending.wait(_LOOK):
                self._look()
        except BaseException as error:
            self._failure = error
            raise

    def _look(self) -> None:
        try:
            for one in self.predecessors:
                one.live()
            selector = f"app.kubernetes.io/instance={self._name}"
            pods = self._api.list(f"/api/v1/namespaces/{self._namespace}/pods", labelSelector=selector)
            self._host([pod for pod in pods if not pod["metadata"].get("deletionTimestamp")])
        except ApiError as error:
            if error.code not in (404, 409):  # a pod that went in between
                raise

    def _host(self, pods: list[Object]) -> None:
        if self._running is not None and self._hosted not in [pod["metadata"]["name"] for pod in pods]:
            self._running.stop()
            self._running = None
        if self.takes_no_names:
            pods = [
                pod for pod in pods if not any(one.provisioner in json.dumps(pod["spec"]) for one in self.predecessors)
            ]
        if pods and self._running is None:
            self._running = self._start(pods[0])
            self._hosted = pods[0]["metadata"]["name"]
        if pods and self._running is not None:
            answers = set(self._running.settings["PROVISIONER_NAME"].split(","))
            if any(one.pods for one in self.predecessors if one.provisioner in answers):
                self.overlaps.append(self._hosted)
            if self._running.has_logged("leading"):
                for pod in pods:
                    if pod["status"].get("phase") != "Running":
                        be_ready(self._api, pod)

    def _start(self, pod: Object) -> Controller:
        (container,) = pod["spec"]["containers"]
        name = pod["metadata"]["name"]
        of_pod = {"metadata.name": name, "metadata.namespace": self._namespace, "status.podIP": "127.0.0.1"}
        settings = {
            one["name"]: one["value"] if "value" in one else of_pod[one["valueFrom"]["fieldRef"]["fieldPath"]]
            for one in container["env"]
        }
        account = self._cluster.service_account_kubeconfig(self._namespace, pod["spec"]["serviceAccountName"])
        made = Controller(name, self._directory, {**settings, "KUBECONFIG": str(account)})
        self.controllers.append(made)
        return made.start(wait=False)
