"""Debian packages: which ones a job needs, which of them are missing, and how they are installed.

Some of them are servers. They are installed without being started or enabled: the dev cluster starts its own, and the
machine's ports stay free.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from devcluster import binaries, progress
from devcluster.errors import DevClusterError

CLUSTER = (
    "etcd-server",
    "iproute2",
    "libnfs-utils",
    "nfs-common",
    "nfs-ganesha",
    "nfs-ganesha-vfs",
    "openssl",
    "rpcbind",
)
"""What runs: the store, the NFS server, and independent NFS clients to look at it with."""

NODE = (
    "busybox-static",
    "containerd",
    "containernetworking-plugins",
    "iproute2",
    "iptables",
    "nfs-common",
    "runc",
)
"""What a real node takes: what runs containers, a firewall, and what is in the images that every node here has."""

TERMINAL = ("tmux",)
"""What looking at a terminal as people do takes."""

MONITORING = ("prometheus",)
"""What reads the alerts as Prometheus does (promtool)."""

REGISTRY = ("docker-registry",)
"""What keeps images for nodes to pull."""

SSH = ("openssh-client", "openssh-server", "sudo")
"""What working on another host takes, and being one."""

RELEASE = ("rpm",)
"""What packing a release takes."""

RELEASED = ("busybox-static", "fish", "man-db", "mandoc", "qemu-user-static", "systemd", "zsh")
"""What trying a release takes: shells, readers of manuals, and a processor of another kind."""

CONTROL_PLANE_BUILD = ("dpkg-dev", "gcc", "golang-go", "jq", "libc6-dev", "make", "rsync")
"""What building the control plane takes."""

KERNEL = (
    "e2fsprogs",
    "gcc",
    "kmod",
    "libc6-dev",
    "nfs-common",
    "nfs-kernel-server",
    "quota",
    "user-mode-linux",
    "xfsprogs",
)
"""What a real kernel with NFS takes: user-mode Linux, and the tools that are used in it."""

_SERVICES = {
    "containerd": ("containerd.service",),
    "docker-registry": ("docker-registry.service",),
    "etcd-server": ("etcd.service",),
    "nfs-common": ("nfs-client.target",),
    "nfs-ganesha": ("nfs-ganesha.service", "nfs-ganesha-lock.service"),
    "nfs-kernel-server": ("nfs-server.service",),
    "openssh-server": ("ssh.service", "ssh.socket"),
    "prometheus": ("prometheus.service",),
    "rpcbind": ("rpcbind.socket", "rpcbind.service"),
}

# "$1": units that must not be started at the next boot either. policy-rc.d is Debian's way to say "start nothing now".
_INSTALL = """\
set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    printf '#!/bin/sh\\nexit 101\\n' > $policy
    chmod 755 $policy
fi
units=$1
shift
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
# The NFS server looks for it; systemd makes it at boot, and minimal images have neither.
[ -e /etc/mtab ] || ln -s ../proc/self/mounts /etc/mtab
if [ -n "$units" ] && [ -d /run/systemd/system ]; then
    systemctl disable $units || true
fi
"""


def needed_for_venv() -> list[str]:
    """What `python3 -m venv` takes beyond Python itself: Debian ships a part of it as a package of its own."""
    return [] if importlib.util.find_spec("ensurepip") else ["python3-venv"]


def needed_for_cluster() -> list[str]:
    """What the dev cluster takes here, the building of its control plane included where that is still to be done."""
    names = list(CLUSTER)
    assets = Path(os.environ.get("KUBEBUILDER_ASSETS") or "/nonexistent")
    if (assets / "etcd").exists():
        names.remove("etcd-server")
    if not shutil.which("kubectl") and not (assets / "kubectl").exists():
        names.append("kubernetes-client")
    return names if binaries.are_available() else [*names, *CONTROL_PLANE_BUILD]


def needed_for_node() -> list[str]:
    """What a node takes beyond the cluster, the building of its programs included where that is still to be done."""
    return [*NODE] if binaries.are_available(binaries.NODE) else [*NODE, *CONTROL_PLANE_BUILD]


def missing(names: Iterable[str]) -> list[str]:
    """Those of the packages that are not installed."""
    wanted = sorted(set(names))
    if not wanted:
        return []
    argv = ["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package}\n", *wanted]
    try:
        answer = subprocess.run(argv, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise DevClusterError("this machine has no dpkg: the dev cluster is made of Debian 12's packages") from error
    installed = {line.split()[1] for line in answer.stdout.splitlines() if line.startswith("installed ")}
    return [name for name in wanted if name not in installed]


def install(names: Iterable[str]) -> None:
    """Installs what is missing; does nothing, and asks for no rights, when nothing is."""
    absent = missing(names)
    if not absent:
        return
    units = " ".join(unit for name in absent for unit in _SERVICES.get(name, ()))
    argv = ["bash", "-c", _INSTALL, "install", units, *absent]
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            raise DevClusterError(
                f"Debian packages are missing, and only root can install them: apt-get install {shlex.join(absent)}"
            )
        # Asks for the password here, where it is seen, rather than in the middle of the progress.
        subprocess.run(["sudo", "--validate"], check=False)
        argv = ["sudo", *argv]
    title = f"Installing {len(absent)} Debian packages ({', '.join(absent)})"
    progress.run(title, argv, log=binaries.cache() / "log" / "apt.log")
