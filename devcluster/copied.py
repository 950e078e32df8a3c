"""A second control plane with all that a first one had stored at one moment: a backup restored beside its original.

Every object has the UID that it has there, and every token and key is good for both; only the addresses differ.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from devcluster import controlplane, directories
from devcluster.binaries import Binaries
from devcluster.controlplane import Layout, Tuning
from devcluster.ports import free_ports
from devcluster.process import Process


class CopiedCluster:
    """etcd, kube-apiserver and kube-controller-manager below a directory of their own. Use it with `with`."""

    def __init__(self, original: Layout, programs: Binaries, etcd: Process) -> None:
        """etcd: the original's, which is held while its data is copied."""
        self._original = original
        self.directory = directories.make("copied")
        etcd_port, peer, api, controllers = free_ports(4)
        self._layout = layout = replace(
            original,
            directory=self.directory,
            etcd_port=etcd_port,
            etcd_peer_port=peer,
            apiserver_port=api,
            controller_manager_port=controllers,
        )
        self._copy(etcd)
        self._parts = (
            controlplane.etcd(layout, programs, detached=False),
            controlplane.apiserver(layout, programs, Tuning(), detached=False),
            controlplane.controller_manager(layout, programs, Tuning(), detached=False),
        )

    def __enter__(self) -> Self:
        complete = False
        try:
            for part in self._parts:
                part.start()
            complete = True
        finally:
            if not complete:
                self.stop()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def kubeconfig(self) -> Path:
        """For an administrator: may do everything."""
        return self._layout.admin_kubeconfig

    def kubeconfig_like(self, original: Path) -> Path:
        """A kubeconfig of the original's, for the same user here."""
        path = self.directory / original.name
        path.touch(mode=0o600)
        path.write_text(self._here(original.read_text()))
        return path

    def stop(self) -> None:
        """Ends all processes and removes the directory."""
        for part in reversed(self._parts):
            part.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _copy(self, etcd: Process) -> None:
        there, here = self._original.directory, self.directory
        etcd.pause()
        try:
            # Its log is mostly a hole, which shutil would fill: the original must not stand still for long.
            subprocess.run(["cp", "-r", "--sparse=always", there / "etcd", here / "etcd"], check=True, timeout=60)
        finally:
            etcd.resume()
        shutil.copytree(there / "pki", here / "pki")
        for name in ("tokens.csv", "audit-policy.json"):
            shutil.copy(there / name, here / name)
        for name in ("kubeconfig", "controller-manager.kubeconfig"):
            self.kubeconfig_like(there / name)

    def _here(self, kubeconfig: str) -> str:
        config = json.loads(kubeconfig)
        for cluster in config["clusters"]:
            cluster["cluster"]["server"] = self._layout.server_url
        return json.dumps(config)
