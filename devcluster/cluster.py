"""A whole dev cluster: the control plane, the NFS server and perhaps a node, gone together."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from devcluster import binaries, controlplane, directories, state
from devcluster.controlplane import Layout, Tuning
from devcluster.copied import CopiedCluster
from devcluster.errors import CommandFailed, DevClusterError
from devcluster.ganesha import Export, GaneshaServer
from devcluster.node.node import Node
from devcluster.process import Process
from devcluster.state import RunningNode, RunningProcess, RunningShare, State


class DevCluster:
    """etcd, kube-apiserver, kube-controller-manager and NFS-Ganesha below one temporary directory.

    Use it with `with`, or call start and stop. Each process can be killed, paused and restarted on its own; what it had
    stored is still there afterwards.
    """

    etcd: Process
    apiserver: Process
    controller_manager: Process
    nfs: GaneshaServer
    node: Node | None
    """Where pods run, once start_node has made it; a cluster has none by itself."""

    def __init__(
        self,
        *,
        exports: Sequence[Export] = (Export(),),
        tuning: Tuning | None = None,
        record: Path | None = None,
    ) -> None:
        """record: a folder (state.DIRECTORY) to write down in what runs. The processes then outlive us, whatever
        happens to us, and `python3 -m devcluster down` can end them.
        """
        self._programs = binaries.find()
        self._record = record
        self._leave_running = False
        detached = record is not None
        self.directory = directories.make("devcluster")
        """The one directory with everything: data, logs, keys, and what is behind the exports."""
        self._layout = Layout.new(self.directory)
        tuning = tuning or Tuning()
        self.etcd = controlplane.etcd(self._layout, self._programs, detached=detached)
        self.apiserver = controlplane.apiserver(self._layout, self._programs, tuning, detached=detached)
        self.controller_manager = controlplane.controller_manager(
            self._layout, self._programs, tuning, detached=detached
        )
        self.nfs = GaneshaServer(self.directory / "nfs", exports=exports, detached=detached)
        self.node = None
        self._others: list[Process] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._leave_running:
            self.stop()

    @property
    def kubeconfig(self) -> Path:
        """For an administrator: may do everything."""
        return self._layout.admin_kubeconfig

    @property
    def server_url(self) -> str:
        return self._layout.server_url

    @property
    def audit_log(self) -> Path:
        """What ServiceAccounts in the namespace controlplane.AUDITED asked for, one JSON object a line."""
        return self._layout.audit_log

    @property
    def processes(self) -> list[Process]:
        """All processes that were started, in that order."""
        parts = [self.etcd, self.apiserver, *self.nfs.processes, self.controller_manager]
        known = [*parts, *(self.node.processes if self.node else ()), *self._others]
        return [process for process in known if process.identity is not None]

    def start(self) -> None:
        """Everything serves when this returns; nothing is left when it fails or is interrupted."""
        complete = False
        try:
            controlplane.write_files(self._layout)
            for part in (self.etcd, self.apiserver, self.nfs):
                part.start(wait=False)
                self._save()
            self.etcd.wait_ready()
            self.nfs.wait_ready()
            self.apiserver.wait_ready()
            # Not before: it gives up after 10 s without an API server, and takes just half a second.
            self.controller_manager.start(wait=False)
            self._save()
            self.controller_manager.wait_ready()
            complete = True
        finally:
            if not complete:
                self.stop()

    def start_node(self, *, exports: Sequence[Export] = (Export(reserved_ports=True),)) -> Node:
        """A real node, where pods run when this returns; it ends with the cluster. Its programs must be there.

        exports: of the NFS server that its pods reach.
        """
        self.node = Node(self, self._layout, exports=exports, detached=self._record is not None)
        self.node.start(self._save)
        self._save()
        return self.node

    def copy(self) -> CopiedCluster:
        """A cluster with all that this one has stored now, as a restored backup is, to be started beside it."""
        return CopiedCluster(self._layout, self._programs, self.etcd)

    def leave_running(self) -> None:
        """The end of `with` no longer stops the cluster, which needs a record: `python3 -m devcluster down` does."""
        if self._record is None:
            raise DevClusterError("a cluster that nobody can find again must not be left running: give it a record")
        self._save()
        directories.leave(self.directory)
        self._leave_running = True

    def stop(self) -> None:
        """Ends all processes and removes the directory."""
        for process in reversed(self._others):
            process.stop()
        if self.node:
            self.node.stop()
        for process in (self.controller_manager, self.apiserver, self.etcd):
            process.stop()
        self.nfs.close()
        shutil.rmtree(self.directory, ignore_errors=True)
        if self._record:
            state.forget(self._record)

    def kubectl(self, *arguments: str, input: str | None = None, kubeconfig: Path | None = None) -> str:
        """What kubectl prints, as administrator unless another kubeconfig is given. CommandFailed when it fails."""
        argv = [str(self._programs.kubectl), f"--kubeconfig={kubeconfig or self.kubeconfig}", *arguments]
        answer = subprocess.run(argv, input=input, capture_output=True, text=True, timeout=120, check=False)
        if answer.returncode:
            raise CommandFailed(["kubectl", *arguments], answer.returncode, answer.stderr)
        return answer.stdout

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The API server's answer to one request as administrator. CommandFailed with its status and message."""
        request = urllib.request.Request(
            self.server_url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"Bearer {self._layout.admin_token}", "Content-Type": "application/json"},
        )
        tls = urllib.request.HTTPSHandler(context=self._layout.tls())
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), tls)
        try:
            with direct.open(request, timeout=60) as answer:
                decoded: dict[str, Any] = json.load(answer)
                return decoded
        except urllib.error.HTTPError as error:
            raise CommandFailed([method, path], error.code, error.read().decode(errors="replace")) from error

    def service_account_kubeconfig(self, namespace: str, name: str, *, seconds: int = 24 * 3600) -> Path:
        """A kubeconfig with a token that the API server signed for an existing ServiceAccount, valid for so long."""
        account = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        wanted = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds},
        }
        token: str = self.request("POST", account, wanted)["status"]["token"]
        path = self.directory / f"{namespace}-{name}.kubeconfig"
        path.touch(mode=0o600)
        path.write_text(controlplane.kubeconfig(self._layout, name, token, namespace))
        return path

    def run(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        ready: Callable[[], bool] | None = None,
        deadline: float = 60.0,
    ) -> Process:
        """Starts one more program that belongs to this cluster (a controller): it ends with it. Its log is beside the
        others; ready as soon as this returns."""
        log, detached = self._layout.log(name), self._record is not None
        process = Process(name, argv, log=log, env=env, ready=ready, deadline=deadline, detached=detached)
        self._others.append(process)
        process.start(wait=False)
        self._save()
        process.wait_ready()
        return process

    def state(self) -> State:
        """What runs where, now."""
        processes = [
            RunningProcess(process.name, process.identity.pid, process.identity.started, str(process.log))
            for process in self.processes
            if process.identity is not None
        ]
        node = None
        if self.node is not None and self.node.is_started:
            node = RunningNode(self.node.name, self.node.address, _shares(self.node.nfs)[0])
        return State(str(self.directory), str(self.kubeconfig), self.server_url, _shares(self.nfs), processes, node)

    def _save(self) -> None:
        if self._record:
            state.save(self._record, self.state())


def _shares(nfs: GaneshaServer) -> list[RunningShare]:
    return [
        RunningShare(
            server=nfs.host,
            export=export.path,
            port=nfs.port,
            mountport=nfs.mountport,
            mount_options=nfs.mount_options(),
            directory=str(nfs.directory_of(export.path)),
        )
        for export in nfs.exports
    ]
