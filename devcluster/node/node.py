"""One real node of the dev cluster, started and gone together."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from devcluster.configuration import Export
from devcluster.controlplane import NODE_NAME, Layout
from devcluster.errors import CommandFailed
from devcluster.ganesha import GaneshaServer
from devcluster.node import images, programs
from devcluster.node.pods import Cluster, Pods
from devcluster.node.room import Room
from devcluster.process import Process


class Node:
    """Scheduler, containerd and kubelet, and an NFS server that pods reach.

    Pods have addresses that this machine reaches, too. They find the API server as in any cluster
    (KUBERNETES_SERVICE_HOST), and NFS at `nfs.host`, which is the same server for this machine. It takes requests only
    from reserved ports, as Linux's own does. The cluster's other NFS server, at a loopback address, is out of their
    reach. There is no DNS, and of Services only the API server's works.
    """

    relay: Process
    containerd: Process
    kubelet: Process
    nfs: GaneshaServer

    def __init__(self, cluster: Cluster, layout: Layout, *, exports: Sequence[Export], detached: bool) -> None:
        """detached: the processes outlive us, pods included."""
        self.name = NODE_NAME
        self.pods = Pods(cluster)
        self.room = Room(layout.directory / "node", log=layout.log("room"), detached=detached)
        self.scheduler = programs.scheduler(layout, detached=detached)
        self._cluster = cluster
        self._layout = layout
        self._exports = exports
        self._detached = detached
        self._started: list[Process] = []
        self._is_started = False

    @property
    def address(self) -> str:
        return self.room.node_address

    @property
    def is_started(self) -> bool:
        """True once pods could be made."""
        return self._is_started

    @property
    def processes(self) -> list[Process]:
        """All processes of the node, in the order of their start."""
        return list(self._started)

    def start(self, on_change: Callable[[], None]) -> None:
        """Pods can be made when this returns. on_change: called whenever there is one more process."""

        def start(*processes: Process) -> None:
            for process in processes:
                process.start(wait=False)
                self._started.append(process)
                on_change()

        layout, room, detached = self._layout, self.room, self._detached
        settings = layout.directory / "node" / "etc"
        settings.mkdir(parents=True)
        start(room.process, self.scheduler)
        room.process.wait_ready()
        self.relay = programs.api_relay(layout, room, detached=detached)
        self.containerd = programs.containerd(layout, room, settings, detached=detached)
        self.kubelet = programs.kubelet(layout, room, settings, detached=detached)
        start(self.relay, self.containerd)
        self._start_nfs(on_change)
        images.write_busybox(settings / "busybox.tar")
        self.containerd.wait_ready()
        start(self.kubelet)
        self.import_images(settings / "busybox.tar")
        for process in (self.scheduler, self.nfs.process):
            process.wait_ready()
        self.wait_ready()
        self._is_started = True

    def wait_ready(self, deadline: float = 60.0) -> None:
        """Returns once the scheduler may send pods here."""
        self.kubelet.wait_until(self._is_ready, "a ready node", deadline)

    def stop(self) -> None:
        """Ends every process, pods included. What they had written goes with the cluster's directory."""
        for process in reversed(self._started):
            process.stop()

    def run(self, *argv: str, deadline: float = 120.0) -> str:
        """What a command prints that is run on the node, outside of any pod. CommandFailed when it fails."""
        answer = subprocess.run(self.room.enter(argv), capture_output=True, text=True, timeout=deadline, check=False)
        if answer.returncode:
            raise CommandFailed(list(argv), answer.returncode, answer.stderr)
        return answer.stdout

    @contextmanager
    def reaching(self, address: str) -> Iterator[None]:
        """Within it the node, and not its pods, finds at `127.0.0.1:PORT` what serves there on this machine."""
        name = f"relay-{address.rpartition(':')[2]}"
        process = programs.relayed(name, self._layout, self.room, address, address, detached=False)
        process.start()
        try:
            yield
        finally:
            process.stop()

    def import_images(self, archive: Path) -> None:
        """Puts the images of an OCI or Docker archive on the node, under the names that the archive gives them."""
        self.run("ctr", "--namespace=k8s.io", "images", "import", str(archive))

    def _start_nfs(self, on_change: Callable[[], None]) -> None:
        # Its address exists only now.
        self.nfs = GaneshaServer(
            self._layout.directory / "node-nfs",
            exports=self._exports,
            host=self.room.machine_address,
            detached=self._detached,
        )
        try:
            self.nfs.start(wait=False)
        finally:
            self._started += self.nfs.processes
            on_change()

    def _is_ready(self) -> bool:
        try:
            node = self._cluster.request("GET", f"/api/v1/nodes/{self.name}")
        except CommandFailed:
            return False  # not registered yet
        conditions = {condition["type"]: condition["status"] for condition in node["status"].get("conditions", ())}
        return conditions.get("Ready") == "True" and not node["spec"].get("taints")
