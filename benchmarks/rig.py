"""The stage of all parts: a dev cluster, an administrator's client, one class, and controllers to be measured.

A controller is `berth run` from this Python's own environment, a process of its own, with its own ServiceAccount and
the rights that Berth asks for, as `make demo` starts it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import yaml

from benchmarks import procfs
from benchmarks.controller import ControllerProcess
from benchmarks.report import Report
from berth.kube.client import Api
from berth.kube.config import load
from berth.manifests.rbac import rbac_manifests
from berth.programs.controller import PERMISSIONS
from berth.volumes.naming import TRASH
from devcluster.cluster import DevCluster
from devcluster.controlplane import Tuning
from devcluster.ganesha import Export
from devcluster.ports import free_port

PROVISIONER = "nfs.berth.io"
CLASS = "bench"
EXPORT = "/export"
PURGE_EXPORT = "/purge"
"""An export of its own for the purge, so that no controller looks at what is purged there."""
_NAMESPACE = "berth-system"
_TUNING = Tuning(kube_api_qps=5000, kube_api_burst=10_000, binder_sync_seconds=15)
"""The controller manager out of the way; its binder's period is Kubernetes' own default."""


class Rig:
    """A cluster that is up, and an administrator's client of it."""

    def __init__(self, cluster: DevCluster, api: Api, report: Report) -> None:
        self.cluster = cluster
        self.api = api
        self.report = report
        self._numbers = itertools.count(1)
        self._kubeconfig = _prepare(cluster)

    async def namespace(self) -> str:
        """The name of a fresh namespace."""
        name = f"bench-{next(self._numbers)}"
        await asyncio.to_thread(self.cluster.request, "POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        return name

    def client(self, name: str) -> Api:
        """An administrator's client that calls itself so; the caller closes it."""
        return Api(load(str(self.cluster.kubeconfig)), user_agent=name)

    @asynccontextmanager
    async def controller(self, wrapper: Sequence[str] = ()) -> AsyncIterator[ControllerProcess]:
        """A controller that leads; it is stopped as a rollout would, and has given its lease back, at the end.

        wrapper: words in front of its command.
        """
        program = str(Path(sys.executable).parent / "berth")
        url = f"127.0.0.1:{free_port()}"
        began = time.monotonic()
        process = await asyncio.to_thread(
            self.cluster.run,
            f"berth-{next(self._numbers)}",
            [*wrapper, program, "run", "--listen", url],
            env=self._settings(),
        )
        controller = ControllerProcess(process, f"http://{url}", began)
        try:
            await controller.wait_leading()
            yield controller
        finally:
            await asyncio.to_thread(process.stop, 30.0)

    def cpu_seconds(self, controller: ControllerProcess) -> dict[str, float]:
        """CPU time so far of every process of the cluster by its name; the controller is `berth`."""
        running = {process.name: process.pid for process in self.cluster.processes if process.is_running}
        used = {name: procfs.cpu_seconds(pid) for name, pid in running.items()}
        return {("berth" if name == controller.process.name else name): seconds for name, seconds in used.items()}

    @property
    def trash(self) -> Path:
        """Where deleted volumes lie until they are purged."""
        return self.cluster.nfs.directory_of(EXPORT) / TRASH

    def _settings(self) -> Mapping[str, str]:
        nfs = self.cluster.nfs
        return {
            **os.environ,
            "PROVISIONER_NAME": PROVISIONER,
            "NFS_SERVER": nfs.host,
            "NFS_PATH": EXPORT,
            "POD_NAMESPACE": _NAMESPACE,
            "KUBECONFIG": str(self._kubeconfig),
            "BERTH_LOG_FORMAT": "json",
        }


@contextmanager
def running_cluster() -> Iterator[DevCluster]:
    """The control plane and the NFS server."""
    with DevCluster(exports=[Export(EXPORT), Export(PURGE_EXPORT)], tuning=_TUNING) as cluster:
        yield cluster


@asynccontextmanager
async def open_rig(cluster: DevCluster, report: Report) -> AsyncIterator[Rig]:
    """The stage over a cluster that is up."""
    async with Api(load(str(cluster.kubeconfig)), user_agent="berth-bench") as api:
        yield Rig(cluster, api, report)


def _prepare(cluster: DevCluster) -> Path:
    """Namespace, ServiceAccount, rights and class; answers the ServiceAccount's kubeconfig."""
    mount_options = cluster.nfs.mount_options()
    manifests = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}},
        *rbac_manifests(PERMISSIONS, name="berth", namespace=_NAMESPACE),
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": CLASS},
            "provisioner": PROVISIONER,
            "parameters": {"archiveOnDelete": "false"},
            **({"mountOptions": mount_options} if mount_options else {}),
        },
    ]
    cluster.kubectl("apply", "-f", "-", input=yaml.safe_dump_all(manifests))
    return cluster.service_account_kubeconfig(_NAMESPACE, "berth")
