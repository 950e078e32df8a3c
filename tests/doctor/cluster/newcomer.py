"""Somebody new to all this: makes a mistake on a real cluster, asks `berth doctor`, and types what it prints."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from berth.cli.main import cli
from berth.manifests.rbac import rbac_manifests
from berth.programs.controller import PERMISSIONS
from berth.texts.text import Language
from devcluster.binaries import find
from devcluster.cluster import DevCluster
from devcluster.ganesha import Export, GaneshaServer
from tests.e2e.controller import Controller

EXPORT = "/srv/nfs/k8s"
PROVISIONER = "nfs.berth.io"
NAMESPACE, ACCOUNT = "berth-system", "berth"
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_SYSTEMCTL = """\
#!/bin/sh
[ "$*" = "$(cat "${0%/*}/serves")" ] && exit 0
echo "$*" > "${0%/*}/asked.new" && mv "${0%/*}/asked.new" "${0%/*}/asked"
while [ -e "${0%/*}/asked" ]; do sleep 0.05; done
"""
"""The server's systemctl: asks the one who runs the server here, and waits until it was done."""


class Newcomer:
    """Their cluster, their server, whose disk is small, and a Berth that runs beside the cluster."""

    def __init__(self, cluster: DevCluster, directory: Path) -> None:
        self.cluster = cluster
        self.nfs = GaneshaServer(directory / "nfs", exports=[Export(EXPORT)])
        self.root = self.nfs.directory_of(EXPORT)
        self.root.mkdir(parents=True)
        small = ["-t", "tmpfs", "-o", "size=8m,nr_inodes=300,mode=0777", "small", str(self.root)]
        subprocess.run(["mount", *small], check=True)
        self._bin = directory / "bin"
        self._bin.mkdir()
        (self._bin / "kubectl").symlink_to(find().kubectl)
        (self._bin / "systemctl").write_text(_SYSTEMCTL)
        (self._bin / "systemctl").chmod(0o755)
        (self._bin / "serves").touch()
        self._environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
        self._environment["PATH"] = f"{self._bin}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._directory = directory
        self.controller: Controller | None = None

    def begin(self) -> None:
        """The server serves, and Berth leads, with the rights that it needs."""
        self.nfs.start()
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        self.give_rights()
        self.serve()
        self.make_class("managed-nfs")

    def give_rights(self) -> None:
        """Makes Berth's account, and its roles, as `berth install` does."""
        manifests = rbac_manifests(PERMISSIONS, name=ACCOUNT, namespace=NAMESPACE)
        for each in manifests:
            each["metadata"]["labels"] = {"app.kubernetes.io/name": "berth"}
        self.apply(*manifests)

    def serve(self, *, wait: bool = True) -> None:
        """Starts Berth, which lays its lock claim to the name that its lease has."""
        settings = {
            "PROVISIONER_NAME": PROVISIONER,
            "KUBECONFIG": str(self.cluster.service_account_kubeconfig(NAMESPACE, ACCOUNT)),
            "POD_NAMESPACE": NAMESPACE,
            "POD_NAME": "berth",
            "BERTH_LEASE_DURATION": "6s",
            "BERTH_RENEW_DEADLINE": "4s",
            "BERTH_RETRY_PERIOD": "0.5s",
            "BERTH_SHARE_TIMEOUT": "2s",
        }
        self.controller = Controller("berth", self._directory, settings)
        self.controller.start(wait=wait)

    def end(self) -> None:
        """Ends all of it."""
        if self.controller is not None:
            self.controller.stop()
        self.nfs.resume()
        self.nfs.close()
        subprocess.run(["umount", "--lazy", str(self.root)], check=False)

    def apply(self, *objects: Mapping[str, Any]) -> None:
        """Makes objects, or changes them."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.cluster.kubectl("apply", "-f", "-", input=json.dumps(listed))

    def make_class(self, name: str, *, provisioner: str = PROVISIONER, default: bool = False, **parameters: str) -> str:
        """Makes a class on the share."""
        self.apply({
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": name,
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"} if default else {},
            },
            "provisioner": provisioner,
            "mountOptions": self.nfs.mount_options(),
            "parameters": {"server": self.nfs.host, "share": EXPORT, "onDelete": "delete", **parameters},
        })  # fmt: skip
        return name

    def file_claim(self, namespace: str, of_class: str | None) -> None:
        """Files a claim `data` in a namespace, which is made if need be."""
        spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Mi"}}}
        self.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": "data", "namespace": namespace},
                "spec": {**spec, **({} if of_class is None else {"storageClassName": of_class})},
            },
        )

    def is_bound(self, namespace: str) -> bool:
        """Whether the claim has its volume."""
        said = self.cluster.kubectl("-n", namespace, "get", "pvc", "data", "--ignore-not-found", "-o", "name")
        path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/data"
        return bool(said) and self.cluster.request("GET", path)["status"].get("phase") == "Bound"

    def is_quiet(self) -> bool:
        """Whether no volume is left on the disk, nor on its way off it."""
        trash = self.root / ".berth" / "trash"
        is_purged = not (trash.is_dir() and any(trash.iterdir()))
        return is_purged and not self.cluster.request("GET", "/api/v1/persistentvolumes")["items"]

    def warned(self, namespace: str) -> bool:
        """Whether Berth has said something of the claim."""
        path = f"/api/v1/namespaces/{namespace}/events?fieldSelector=reason=ProvisioningFailed"
        return bool(self.cluster.request("GET", path)["items"])

    def ask(self, language: Language, *about: str) -> dict[str, list[str]]:
        """What `berth doctor` says, in that language and no other: of each finding the commands."""
        done = CliRunner().invoke(
            cli, ["doctor", *about, "--lang", language, "--kubeconfig", str(self.cluster.kubeconfig)]
        )
        found: dict[str, list[str]] = {}
        commands: list[str] = []
        for block in done.stdout.split("\n\n")[1:]:
            head = re.search(r"\[([a-z-]+)\]", " ".join(block.split()))
            assert head is not None, done.stdout
            commands = found.setdefault(head[1], [])
            commands += [line.removeprefix("    $ ") for line in block.splitlines() if line.startswith("    $ ")]
            prose = "\n".join(line for line in block.splitlines() if not line.startswith("    "))
            assert bool(_CHINESE.search(prose)) == (language == "zh"), block
        return found

    def wait_for(self, failure: str, language: Language, *about: str) -> list[str]:
        """The commands of a finding, once there is one."""
        found: dict[str, list[str]] = {}

        def is_told() -> bool:
            found.update(self.ask(language, *about))
            return failure in found

        try:
            self.wait(is_told, failure, 40)
        except AssertionError as error:
            raise AssertionError(f"only {sorted(found)} were found: {error}") from error
        return found[failure]

    def type(self, command: str, answer: str = "") -> None:
        """Types a command as it was printed; what is for the server sees the exported path where the server has it."""
        if "# on the server" in command:
            command = command.replace(EXPORT, str(self.root))
        asked = self._bin / "asked"
        with subprocess.Popen(
            ["bash", "-c", command], env=self._environment, stdin=subprocess.PIPE, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as typed:  # fmt: skip
            assert typed.stdin is not None
            assert typed.stdout is not None
            typed.stdin.write(f"{answer}\n")
            typed.stdin.close()

            def has_ended() -> bool:
                if asked.exists():
                    self._of_the_server(asked.read_text().split())
                    asked.unlink()
                return typed.poll() is not None

            self.wait(has_ended, command, 60)
            assert typed.returncode == 0, f"{command}\n{typed.stdout.read()}"

    def _of_the_server(self, words: Sequence[str]) -> None:
        """Does what systemctl was asked for."""
        self.nfs.resume()
        if "restart" in words:
            self.nfs.restart()
        elif not self.nfs.is_running:
            self.nfs.start()

    def wait(self, condition: Callable[[], object], what: str, seconds: float = 60) -> None:
        """Returns once the condition holds."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not within {seconds} s: {what}\n{self._log()}"
            time.sleep(0.05)

    def _log(self) -> str:
        return self.controller.log[-3000:] if self.controller is not None else ""
