"""`make demo`: a claim that stays Pending for a reason that people meet every day, and its cure. All of it is real.

Every step prints the command that a person would type, and what came back; the cure is typed as the doctor prints it.
A step that fails ends the demo with exit code 1. KEEP=1 in the environment leaves the cluster and the controller
running; DEMO_LANG=zh, or a Chinese locale, has it told in Chinese.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import yaml

from berth.manifests.rbac import rbac_manifests
from berth.programs.controller import PERMISSIONS
from berth.texts.text import Language, Text, language_of
from devcluster import build, state
from devcluster.cluster import DevCluster
from devcluster.errors import DevClusterError
from devcluster.ganesha import Export
from devcluster.ports import free_ports
from devcluster.stage import Stage, StepFailed

PROVISIONER = "nfs/provisioner-229"
MISSPELT = "nfs/provisioner-292"
EXPORT = "/mount/ksha3.2"
"""As the article exports it."""
CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "managed-nfs-storage"},
    "provisioner": MISSPELT,
    "parameters": {"archiveOnDelete": "true"},
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
"""As the article makes it."""
SHORT_CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: demo4nfs
  namespace: ddddd
spec:
  storageClassName: managed-nfs-storage
  accessModes: [ReadWriteMany]
  resources:
    requests:
      storage: 10Gi
"""

_STARTING = Text(
    "Starting a Kubernetes control plane and an NFS server on this machine ...",
    "正在本机启动 Kubernetes 控制平面和 NFS 服务器……",
)
_UP = Text(
    "They are up after {:.1f} s. Berth serves {} as the provisioner {}.",
    "{:.1f} 秒后就绪。Berth 在 {} 上提供存储，制备器名为 {}。",
)
_MADE = Text(
    "A class and a claim, with a slip that many people have made", "一个 StorageClass 和一个 PVC，里面有一处常见的笔误"
)
_PENDING = Text(
    "The claim stays Pending. Kubernetes says only that it waits:", "PVC 一直 Pending。Kubernetes 只说它在等待："
)
_DOCTOR = Text("The doctor says why, and what to type", "诊断工具说出原因，并给出该输入的命令")
_CURE = Text("The cure, typed as it was printed", "照它给出的命令输入")
_BOUND = Text("Bound {:.1f} s after the cure.", "修正后 {:.1f} 秒，PVC 已 Bound。")
_SEEN = Text("Its directory, as another NFS client sees it", "在另一个 NFS 客户端上看到的目录")
_END = Text("The claim is deleted; archiveOnDelete keeps its data", "删除 PVC；archiveOnDelete 会保留数据")
_TOOK = Text(
    "The demo took {:.1f} s. Everything it started was stopped and removed.",
    "演示用时 {:.1f} 秒。它启动的一切都已停止并删除。",
)
_KEPT = Text(
    "The demo took {:.1f} s. The cluster and Berth still run:",
    "演示用时 {:.1f} 秒。集群和 Berth 仍在运行：",
)
_NEXT = Text("Try next:", "接下来可以试试：")
_OFFERED = (
    ("make demo KEEP=1", Text("the same, and leaves it running for you", "同样的演示，结束后保持运行")),
    (".venv/bin/berth doctor --help", Text("ask about your own cluster", "诊断你自己的集群")),
    (
        ".venv/bin/berth install --help",
        Text("put Berth into it: docs/install.md", "把 Berth 装进去：docs/install.zh-CN.md"),
    ),
)
_STAYING = (
    ("export KUBECONFIG={}", Text("then kubectl and berth doctor work", "之后即可使用 kubectl 和 berth doctor")),
    ("tail -f {}", Text("what Berth says", "Berth 的日志")),
    ("python3 -m devcluster down", Text("stops all of it", "全部停止")),
)
_FAILED = Text("demo: {}", "演示失败：{}")
_INTERRUPTED = Text("demo: interrupted; everything was stopped and removed", "演示已中断；它启动的一切都已停止并删除")


class Demo:
    """One run over a cluster that is up."""

    def __init__(self, cluster: DevCluster, stage: Stage) -> None:
        self._cluster, self._stage = cluster, stage

    def start_controller(self) -> None:
        """Berth as its own ServiceAccount, with the rights that it asks for and no others."""
        cluster = self._cluster
        cluster.kubectl("create", "namespace", "berth-system")
        rights = rbac_manifests(PERMISSIONS, name="berth", namespace="berth-system")
        cluster.kubectl("apply", "-f", "-", input=yaml.safe_dump_all(rights))
        settings = {
            "PROVISIONER_NAME": PROVISIONER,
            "NFS_SERVER": cluster.nfs.host,
            "NFS_PATH": EXPORT,
            "POD_NAMESPACE": "berth-system",
            "KUBECONFIG": str(cluster.service_account_kubeconfig("berth-system", "berth")),
            "BERTH_LOG_FORMAT": "human",
        }
        berth = str(Path(sys.executable).parent / "berth")
        cluster.run(
            "berth",
            [berth, "run", "--listen", f"127.0.0.1:{free_ports(1)[0]}"],
            env={**os.environ, **settings},
            ready=lambda: "leading" in self.log.read_text(),
        )

    @property
    def log(self) -> Path:
        """What the controller says."""
        return self._cluster.directory / "log" / "berth.log"

    def fail(self) -> None:
        """The claim that stays Pending, and what Kubernetes says of it."""
        stage = self._stage
        stage.title(_MADE)
        self._cluster.kubectl("create", "namespace", "ddddd")
        stage.write("class.yaml", yaml.safe_dump(CLASS, sort_keys=False))
        stage.write("claim.yaml", SHORT_CLAIM)
        stage.type("cat class.yaml")
        stage.type("kubectl apply -f class.yaml -f claim.yaml")
        stage.until(_PENDING.en, lambda: "ExternalProvisioning" in self._told("events", "{.items[*].reason}"))
        stage.say(_PENDING)
        stage.type("kubectl describe pvc -n ddddd demo4nfs | grep -o 'waiting for.*'")

    def cure(self) -> None:
        """What the doctor says of it, and the command that it prints."""
        stage = self._stage
        stage.title(_DOCTOR)
        lang = " --lang zh" if stage.language == "zh" else ""
        said = stage.type(f"berth doctor claim ddddd/demo4nfs{lang}", code=2)
        cures = [line.strip()[2:] for line in said.splitlines() if line.strip().startswith("$ ")]
        if not cures:
            raise StepFailed("the doctor prints no command")
        stage.title(_CURE)
        stage.type(cures[0])
        began = time.monotonic()
        stage.until("the claim is Bound", lambda: self._told("pvc", "{.items[*].status.phase}") == "Bound")
        took = time.monotonic() - began
        stage.type("kubectl get pvc -n ddddd | cut -c-60")
        stage.say(Text(_BOUND.en.format(took), _BOUND.zh.format(took)))

    def end(self) -> None:
        """The directory behind the claim, and what becomes of it."""
        stage, nfs = self._stage, self._cluster.nfs
        query = "" if nfs.has_portmapper else f"?nfsport={nfs.port}&mountport={nfs.mountport}"
        look = shlex.join(["nfs-ls", f"nfs://{nfs.host}{EXPORT}{query}"])
        stage.title(_SEEN)
        stage.type(look)
        stage.title(_END)
        stage.type("kubectl delete pvc -n ddddd demo4nfs")
        stage.until("the PV is gone", lambda: not self._told("pv", "{.items[*].metadata.name}"))
        kept = stage.type(look)
        if "archived-ddddd-demo4nfs-pvc-" not in kept:
            raise StepFailed("the share holds no archive")

    def _told(self, kind: str, path: str) -> str:
        where = () if kind == "pv" else ("-n", "ddddd")
        return self._cluster.kubectl("get", kind, *where, "-o", f"jsonpath={path}")


def main() -> int:
    """0: all steps did what they show; 1: one did not; 130: interrupted."""
    chosen = os.environ.get("DEMO_LANG", "")
    language = language_of({"LANG": chosen} if chosen else os.environ)
    began = time.monotonic()
    try:
        build.control_plane()
        with state.locked(state.DIRECTORY):
            state.refuse_second(state.DIRECTORY)
            return _run(language, began, keep=os.environ.get("KEEP", "") not in ("", "0"))
    except (DevClusterError, StepFailed, subprocess.TimeoutExpired) as error:
        print(_FAILED.said(language).format(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\n{_INTERRUPTED.said(language)}", file=sys.stderr)
        return 130


def _run(language: Language, began: float, *, keep: bool) -> int:
    print(_STARTING.said(language), flush=True)
    with DevCluster(exports=[Export(EXPORT)], record=state.DIRECTORY if keep else None) as cluster:
        stage = Stage(cluster, language)
        demo = Demo(cluster, stage)
        demo.start_controller()
        up = (time.monotonic() - began, f"{cluster.nfs.host}:{EXPORT}", PROVISIONER)
        stage.say(Text(_UP.en.format(*up), _UP.zh.format(*up)))
        for part in (demo.fail, demo.cure, demo.end):
            part()
        if keep:
            cluster.leave_running()
    took = time.monotonic() - began
    ended = _KEPT if keep else _TOOK
    print()
    stage.say(Text(ended.en.format(took), ended.zh.format(took)))
    for (command, what), value in zip(_STAYING, (cluster.kubeconfig, demo.log, ""), strict=True) if keep else ():
        stage.offer(command.format(value), what)
    stage.say(_NEXT)
    for command, what in _OFFERED[1:] if keep else _OFFERED:
        stage.offer(command, what)
    return 0


if __name__ == "__main__":
    sys.exit(main())
