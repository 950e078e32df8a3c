"""`make demo`: the claim of the article becomes a directory on an NFS server, step by step, all of it real.

Every step prints the command that a person would type, and what came back. A step that fails ends the demo with exit
code 1. KEEP=1 in the environment leaves the cluster and the controller running.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from berth.manifests.rbac import rbac_manifests
from berth.programs.controller import PERMISSIONS
from devcluster import binaries, build, state
from devcluster.cluster import DevCluster
from devcluster.errors import DevClusterError
from devcluster.ganesha import Export
from devcluster.ports import free_ports

PROVISIONER = "nfs/provisioner-229"
EXPORT = "/mount/ksha3.2"
"""As the article exports it."""
CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {
        "name": "managed-nfs-storage",
        "annotations": {"storageclass.kubernetes.io/is-default-class": "false"},
    },
    "provisioner": PROVISIONER,
    "parameters": {"archiveOnDelete": "false"},
}
CLAIM = """\
kind: PersistentVolumeClaim
apiVersion: v1
metadata:
  name: demo4nfs
  namespace: ddddd
  annotations:
    docs.kubesphere-carryon.top/creator: admin
    volume.beta.kubernetes.io/storage-provisioner: nfs/provisioner-229
  finalizers:
    - kubernetes.io/pvc-protection
spec:
  accessModes:
    - ReadWriteOnce
  resources:
    requests:
      storage: 10Gi
  storageClassName: managed-nfs-storage
  volumeMode: Filesystem
"""
WAITING = 60.0
"""Seconds that any step may take."""


class StepFailed(Exception):  # noqa: N818
    """A step did not do what it shows; one sentence."""


class Demo:
    """One run over a cluster that is up."""

    def __init__(self, cluster: DevCluster) -> None:
        self._cluster = cluster
        self._color = sys.stdout.isatty()
        self._files = cluster.directory / "demo"
        self._files.mkdir(exist_ok=True)
        nfs = cluster.nfs
        query = "" if nfs.has_portmapper else f"?nfsport={nfs.port}&mountport={nfs.mountport}"
        self._url = f"nfs://{nfs.host}{EXPORT}"
        self._query = query
        self._log, self._told = cluster.directory, 0

    def run(self) -> None:
        """All steps. StepFailed when one fails."""
        self._start_controller()
        self.title("A namespace, the article's class, and the article's claim")
        self.kubectl("create", "namespace", "ddddd")
        self.apply("class.yaml", yaml.safe_dump(CLASS, sort_keys=False))
        self._one_life("false")
        self.title('Once more, with archiveOnDelete: "true" (a class can\'t be edited, so it is made anew)')
        self.kubectl("delete", "storageclass", "managed-nfs-storage")
        self.apply("class.yaml", yaml.safe_dump({**CLASS, "parameters": {"archiveOnDelete": "true"}}, sort_keys=False))
        self._one_life("true")

    def _start_controller(self) -> None:
        cluster, nfs = self._cluster, self._cluster.nfs
        self.title("The controller, as its own ServiceAccount, with the rights that Berth asks for and no others")
        self.kubectl("create", "namespace", "berth-system")
        manifests = rbac_manifests(PERMISSIONS, name="berth", namespace="berth-system")
        self.apply("rbac.yaml", yaml.safe_dump_all(manifests, sort_keys=False), show=False)
        kubeconfig = cluster.service_account_kubeconfig("berth-system", "berth")
        port = free_ports(1)[0]
        argv = ["berth", "run", "--listen", f"127.0.0.1:{port}"]
        settings = {
            "PROVISIONER_NAME": PROVISIONER,
            "NFS_SERVER": nfs.host,
            "NFS_PATH": EXPORT,
            "POD_NAMESPACE": "berth-system",
            "KUBECONFIG": str(kubeconfig),
        }
        for name, value in settings.items():
            self.command(f"export {name}={value}")
        self.command(f"{shlex.join(argv)} &")
        log = cluster.run(
            "berth",
            [str(Path(sys.executable).parent / argv[0]), *argv[1:]],
            env={**os.environ, **settings, "BERTH_LOG_FORMAT": "human"},
            ready=lambda: "leading" in Path(cluster.directory, "log", "berth.log").read_text(),
        ).log
        self._log = log
        self._tell_log()

    def _one_life(self, archive: str) -> None:
        """Birth, use, growth and end of the claim."""
        self.apply("claim.yaml", CLAIM, show=archive == "false")
        began = time.monotonic()
        self.until("the claim is Bound", lambda: self._claim().get("status", {}).get("phase") == "Bound")
        waited = time.monotonic() - began
        self.kubectl("get", "pvc", "-n", "ddddd", "demo4nfs")
        self.say(f"Bound {waited:.1f} s after it was applied.")
        pv = self._claim()["spec"]["volumeName"]
        volume = json.loads(self._cluster.kubectl("get", "pv", pv, "-o", "json"))["spec"]["nfs"]
        self.kubectl("describe", "pvc", "-n", "ddddd", "demo4nfs", only=("Events:", "  "))
        self.title("The volume, seen by an independent NFS client")
        directory = volume["path"].removeprefix(EXPORT).strip("/")
        self.nfs("nfs-ls", directory="")
        greeting = self._files / "hello.txt"
        greeting.write_text("Hello from demo4nfs\n")
        self.nfs("nfs-cp", directory=f"{directory}/hello.txt", source=greeting)
        self.nfs("nfs-cat", directory=f"{directory}/hello.txt", expect="Hello from demo4nfs")

        self.title("More room")
        self.kubectl("patch", "storageclass", "managed-nfs-storage", "-p", '{"allowVolumeExpansion":true}')
        self.kubectl(
            "patch", "pvc", "-n", "ddddd", "demo4nfs",
            "-p", '{"spec":{"resources":{"requests":{"storage":"20Gi"}}}}',
        )  # fmt: skip
        self.until(
            "the claim has 20Gi", lambda: self._claim().get("status", {}).get("capacity", {}).get("storage") == "20Gi"
        )
        self.kubectl("get", "pvc", "-n", "ddddd", "demo4nfs")
        self.kubectl("get", "pv", pv)

        self.title(f'The end of the claim, with archiveOnDelete: "{archive}"')
        self.kubectl("delete", "pvc", "-n", "ddddd", "demo4nfs")
        self.until("the PV is gone", lambda: not self._cluster.kubectl("get", "pv", pv, "--ignore-not-found"))
        self.until("the trash is empty", lambda: not any((self._behind() / ".berth/trash").iterdir()))
        self.kubectl("get", "pv")
        self.say("What the controller said meanwhile:")
        self._tell_log()
        self.nfs("nfs-ls", directory="")
        kept = sorted(entry.name for entry in self._behind().iterdir() if entry.name != ".berth")
        if archive == "false":
            if kept:
                raise StepFailed(f"the share should be empty, but holds {', '.join(kept)}")
            self.say("The directory is gone, and .berth/ remembers nothing of it.")
            return
        if kept != [f"archived-{directory}"]:
            raise StepFailed(f"the share should hold archived-{directory}, but holds {', '.join(kept) or 'nothing'}")
        self.nfs("nfs-cat", directory=f"{kept[0]}/hello.txt", expect="Hello from demo4nfs")
        self.say("The data is kept, and explains itself:")
        self.nfs("nfs-cat", directory=f".berth/archives/{kept[0]}.json", expect='"claim": "demo4nfs"')

    def _tell_log(self) -> None:
        """What the controller has said since the last time."""
        with self._log.open() as log:
            log.seek(self._told)
            self.output(log.read())
            self._told = log.tell()

    def _claim(self) -> dict[str, Any]:
        claim: dict[str, Any] = json.loads(
            self._cluster.kubectl("get", "pvc", "-n", "ddddd", "demo4nfs", "-o", "json", "--ignore-not-found") or "{}"
        )
        return claim

    def _behind(self) -> Path:
        return self._cluster.nfs.directory_of(EXPORT)

    def kubectl(self, *arguments: str, only: tuple[str, str] | None = None) -> None:
        """Shows a kubectl command and its output; only: from the line that begins so, lines that begin otherwise."""
        self.command(shlex.join(["kubectl", *arguments]))
        argv = [str(binaries.find().kubectl), f"--kubeconfig={self._cluster.kubeconfig}", *arguments]
        answer = subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=WAITING, check=False
        )
        text = answer.stdout
        if answer.returncode:
            raise StepFailed(f"{shlex.join(['kubectl', *arguments])}: {text.strip()}")
        if only is not None:
            first, indent = only
            lines = text.splitlines()
            begin = next((number for number, line in enumerate(lines) if line.startswith(first)), 0)
            text = "\n".join([lines[begin], *(line for line in lines[begin + 1 :] if line.startswith(indent))])
        self.output(text)

    def apply(self, name: str, manifest: str, *, show: bool = True) -> None:
        """Writes a manifest to a file, shows it, and applies it."""
        path = self._files / name
        path.write_text(manifest)
        if show:
            self.command(f"cat {name}")
            self.output(manifest)
        self.command(f"kubectl apply -f {name}")
        self.output(self._cluster.kubectl("apply", "-f", str(path)))

    def nfs(self, tool: str, *, directory: str, source: Path | None = None, expect: str = "") -> None:
        """Runs one of libnfs's own tools on the share."""
        url = f"{self._url}/{directory}".rstrip("/") + self._query
        shown = [tool, *([source.name] if source else []), url]
        self.command(shlex.join(shown))
        argv = [tool, *([str(source)] if source else []), url]
        answer = subprocess.run(argv, capture_output=True, text=True, timeout=WAITING, check=False)
        if answer.returncode or expect not in answer.stdout:
            raise StepFailed(f"{shlex.join(shown)}: {(answer.stderr or answer.stdout).strip() or 'it failed'}")
        self.output(answer.stdout)

    def until(self, what: str, condition: Callable[[], bool]) -> None:
        """Waits for a condition; StepFailed when it does not come true."""
        deadline = time.monotonic() + WAITING
        while not condition():
            if time.monotonic() > deadline:
                raise StepFailed(f"waited {WAITING:g} s until {what}, in vain")
            time.sleep(0.05)

    def title(self, text: str) -> None:
        """A heading."""
        print(f"\n{self._paint('1', '## ' + text)}", flush=True)

    def say(self, text: str) -> None:
        """A remark."""
        print(self._paint("2", text), flush=True)

    def command(self, text: str) -> None:
        """What a person would type."""
        print(self._paint("36", f"$ {text}"), flush=True)

    def output(self, text: str) -> None:
        """What came back."""
        if text.strip():
            print(text.rstrip(), flush=True)

    def _paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._color else text


def main() -> int:
    """0: all steps did what they show; 1: one did not; 130: interrupted."""
    keep = os.environ.get("KEEP", "") not in ("", "0")
    began = time.monotonic()
    try:
        build.control_plane()
        with state.locked(state.DIRECTORY):
            state.refuse_second(state.DIRECTORY)
            return _run(keep, began)
    except (DevClusterError, StepFailed, subprocess.TimeoutExpired) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted; everything was stopped and removed", file=sys.stderr)
        return 130


def _run(keep: bool, began: float) -> int:
    print("Starting etcd, kube-apiserver, kube-controller-manager and NFS-Ganesha ...", flush=True)
    with DevCluster(exports=[Export(EXPORT)], record=state.DIRECTORY if keep else None) as cluster:
        demo = Demo(cluster)
        demo.say(f"They are up after {time.monotonic() - began:.1f} s: {cluster.nfs.host}:{EXPORT} is the share.")
        demo.run()
        print(f"\nThe whole demo took {time.monotonic() - began:.1f} s.")
        if keep:
            cluster.leave_running()
            print(
                f"The cluster and the controller are still running:\n"
                f"  export KUBECONFIG={cluster.kubeconfig}\n"
                f"  tail -f {cluster.directory}/log/berth.log\n"
                f"  .venv/bin/python -m devcluster down      stops all of it"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
