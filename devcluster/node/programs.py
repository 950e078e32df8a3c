"""The programs of a node: their settings, and how to see that they are ready.

As on any node but for three things: containerd and kubelet have a room of their own (room.sh), kubelet leaves limits
for whole pods and evictions alone (they are about the machine, which is not the node's), and the API server's service
address is a relay, in place of kube-proxy.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

from devcluster import binaries, controlplane, ports
from devcluster.controlplane import NODE_NAME, SERVICE_ADDRESS, Layout
from devcluster.node import relay
from devcluster.node.images import PAUSE
from devcluster.node.room import Room
from devcluster.process import Process

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"

_CONTAINERD = """\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
# One would make /opt/containerd on this machine, the others are for file systems that are not used.
disabled_plugins = [
    "io.containerd.internal.v1.opt",
    "io.containerd.snapshotter.v1.aufs",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.zfs",
]

[grpc]
address = "{socket}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
# Whoever runs in a container may not make a process harder to kill, and pods ask for just that.
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "{snapshotter}"

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{settings}/cni"
"""


def scheduler(layout: Layout, *, detached: bool) -> Process:
    settings, port = layout.directory / "scheduler.kubeconfig", ports.free_port()
    secret(settings, controlplane.kubeconfig(layout, "system:kube-scheduler", layout.scheduler_token))
    program = binaries.find_for_node("kube-scheduler")
    argv = [
        str(program),
        f"--kubeconfig={settings}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        "--port=0",
        "--leader-elect=false",
        "--kube-api-qps=1000",
        "--kube-api-burst=2000",
    ]
    return Process(
        "kube-scheduler",
        argv,
        log=layout.log("kube-scheduler"),
        ready=lambda: not ports.can_listen("127.0.0.1", port),
        detached=detached,
    )


def api_relay(layout: Layout, room: Room, *, detached: bool) -> Process:
    """What answers at the address that pods are told for the API server."""
    here, target = f"{SERVICE_ADDRESS}:443", layout.server_url.removeprefix("https://")
    return relayed("api-relay", layout, room, here, target, detached=detached)


def relayed(name: str, layout: Layout, room: Room, here: str, target: str, *, detached: bool) -> Process:
    """What answers at an address in the room, and passes everything on to one of this machine."""
    argv = [sys.executable, "-I", relay.__file__, str(room.network_namespace), here, target]
    return Process(name, argv, log=layout.log(name), detached=detached)


def containerd(layout: Layout, room: Room, settings: Path, *, detached: bool) -> Process:
    (settings / "cni").mkdir()
    (settings / "cni" / "10-pods.conflist").write_text(json.dumps(_network(room)))
    text = _CONTAINERD.format(
        socket=CONTAINERD_SOCKET, pause=PAUSE, settings=settings, snapshotter=snapshotter(room.directory)
    )
    (settings / "containerd.toml").write_text(text)
    address = room.outside(CONTAINERD_SOCKET)
    return Process(
        "containerd",
        room.enter(["containerd", "--config", f"{settings}/containerd.toml"]),
        log=layout.log("containerd"),
        ready=lambda: _accepts(address),
        detached=detached,
    )


def kubelet(layout: Layout, room: Room, settings: Path, *, detached: bool) -> Process:
    server = f"https://{SERVICE_ADDRESS}"
    user = f"system:node:{NODE_NAME}"
    secret(settings / "kubelet.kubeconfig", controlplane.kubeconfig(layout, user, layout.kubelet_token, server=server))
    (settings / "kubelet.json").write_text(json.dumps(_kubelet(layout, room), indent=2))
    argv = [
        str(binaries.find_for_node("kubelet")),
        f"--config={settings}/kubelet.json",
        f"--kubeconfig={settings}/kubelet.kubeconfig",
        f"--hostname-override={NODE_NAME}",
        f"--node-ip={room.node_address}",
        "--container-runtime=remote",
        f"--container-runtime-endpoint=unix://{CONTAINERD_SOCKET}",
    ]
    return Process("kubelet", room.enter(argv), log=layout.log("kubelet"), detached=detached)


def secret(path: Path, text: str) -> None:
    """Writes a file that only we may read."""
    path.touch(mode=0o600)
    path.write_text(text)


def _kubelet(layout: Layout, room: Room) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": room.node_address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": False},
            "x509": {"clientCAFile": str(layout.authority)},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": False,
        "enforceNodeAllocatable": [],
        "evictionHard": {"memory.available": "0%", "nodefs.available": "0%", "imagefs.available": "0%"},
        "imageGCHighThresholdPercent": 100,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "protectKernelDefaults": True,  # see room.sh: they look right
        "makeIPTablesUtilChains": False,
        # Nobody answers there. Without an address kubelet warns at every pod.
        "clusterDNS": ["10.0.0.10"],
        "clusterDomain": "cluster.local",
        "volumePluginDir": "/var/lib/kubelet/volumeplugins",
        # Looks often, so that the node is seen to be ready as soon as it is, and writes only what has changed.
        "nodeStatusUpdateFrequency": "500ms",
        "nodeStatusReportFrequency": "5m",
    }


def _network(room: Room) -> dict[str, object]:
    addresses = {"subnet": f"{room.subnet}.0/24", "rangeStart": f"{room.subnet}.10", "gateway": room.node_address}
    assign = {
        "type": "host-local",
        "ranges": [[addresses]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": "/run/pod-addresses",
    }
    return {
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [{"type": "bridge", "bridge": "pods", "hairpinMode": True, "ipam": assign}],
    }


def snapshotter(directory: Path) -> str:
    """How containers get their files: overlayfs, which does not lie on itself (where this is a container already).

    In a changed root the file system below may not be listed; there, what works on all of them.
    """
    places = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    below = [(len(place), kind) for _, place, kind, *_ in places if directory.is_relative_to(place)]
    return "native" if not below or max(below)[1] == "overlay" else "overlayfs"


def _accepts(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(os.fspath(address))
        except OSError:
            return False
    return True
