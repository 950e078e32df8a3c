"""`berth install --apply` as people see it: what it says while it waits, at the end, and when it is interrupted."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import secrets
import signal
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from devcluster.cluster import DevCluster
from tests.cli.command import PROGRAM, environment
from tests.e2e.waiting import until
from tests.running import running

READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


class Installing:
    """One installation of a test's own, by the program itself."""

    def __init__(self, cluster: DevCluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.name = f"berth-{secrets.token_hex(4)}"
        self.env = environment({"KUBECONFIG": str(cluster.kubeconfig)})

    @contextmanager
    def start(self, *options: str) -> Iterator[subprocess.Popen[str]]:
        """The command, under way."""
        argv = [
            str(PROGRAM), "install", "--apply", "--server=nfs.example.com", "--path=/srv", f"--class={self.name}",
            f"--provisioner-name={self.name}.example/nfs", *self.where(), "--use-existing", *options,
        ]  # fmt: skip
        with running(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.env, bufsize=1
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def make_pods_ready(self) -> None:
        """As a kubelet would."""
        selector = f"app.kubernetes.io/instance%3D{self.name}"
        path = f"/api/v1/namespaces/{self.namespace}/pods"

        def made() -> list[dict[str, Any]]:
            pods: list[dict[str, Any]] = self.cluster.request("GET", f"{path}?labelSelector={selector}")["items"]
            return pods if len(pods) == 2 else []

        for pod in until("the pods are made", made):
            meta = {key: value for key, value in pod["metadata"].items() if key != "resourceVersion"}
            # Without a version: others write to a new pod as well, and this is said whatever they say.
            whole = {**pod, "metadata": meta, "apiVersion": "v1", "kind": "Pod", "status": READY}
            self.cluster.request("PUT", f"{path}/{pod['metadata']['name']}/status", whole)

    def uninstall(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self.run("uninstall", "--yes", *options)

    def run(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        """The command to its end, with nobody to ask."""
        argv = [str(PROGRAM), command, *self.where(), *options]
        return subprocess.run(
            argv, capture_output=True, text=True, timeout=60, check=False, env=self.env, stdin=subprocess.DEVNULL
        )

    def where(self) -> list[str]:
        return [f"--name={self.name}", f"--namespace={self.namespace}"]


def read_until(process: subprocess.Popen[str], words: str) -> list[str]:
    """The lines up to one with these words; the test's own deadline ends it otherwise."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if words in line:
            return lines
    raise AssertionError(f"ended without {words!r}: {lines}")


@pytest.fixture
def installing(cluster: DevCluster, namespace: str) -> Iterator[Installing]:
    """Its pods go to no node, not even where other tests have one: these tests play the kubelet."""
    nodes = cluster.kubectl("get", "nodes", "--output=name").split()
    for node in nodes:
        cluster.kubectl("cordon", node)
    made = Installing(cluster, namespace)
    yield made
    made.uninstall()
    for node in nodes:
        cluster.kubectl("uncordon", node)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("lang", "waits", "serves"),
    [
        ("en", "0 of 2 pods ready: ", "Berth serves nfs.example.com:/srv: claims of class {name} get"),
        (
            "zh",
            "2 个 Pod 中 0 个就绪：",
            "Berth 已就绪，共享为 nfs.example.com:/srv，StorageClass {name} 可以使用了",
        ),
    ],
)
def test_it_waits_for_the_pods_and_says_what_is_served(
    installing: Installing, lang: str, waits: str, serves: str
) -> None:
    with installing.start(f"--lang={lang}") as process:
        read_until(process, waits)
        installing.make_pods_ready()
        told = read_until(process, serves.format(name=installing.name))
        rest, complaints = process.communicate(timeout=60)
    assert process.returncode == 0, (told, rest, complaints)
    assert "Traceback" not in complaints
    removed = installing.uninstall(f"--lang={lang}")
    assert removed.returncode == 0
    assert {"en": "  all data, all claims, and 0 PVs", "zh": "  全部数据、全部 PVC，以及"}[lang] in removed.stdout


@pytest.mark.timeout(60)
def test_interrupted_it_says_so_and_what_was_applied_stays(installing: Installing) -> None:
    with installing.start() as process:
        read_until(process, "0 of 2 pods ready: ")
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=30)
    assert process.returncode == 130
    assert complaints == "berth: interrupted\n"
    assert installing.uninstall().returncode == 0


@pytest.mark.timeout(60)
def test_repeated_it_shows_what_changes_in_narrow_lines_and_nothing_else_changes(installing: Installing) -> None:
    with installing.start("--timeout=0", "--image=registry.example.com/a/rather/long/path/berth:1") as process:
        process.communicate(timeout=60)
    bare = installing.run("install", "--apply", "--timeout=0")
    assert "changed" not in bare.stdout.replace("unchanged", "")
    said = ["--replicas=3", "--image=registry.example.com/another/rather/long/path/berth:2"]
    changed = installing.run("install", "--apply", "--timeout=0", *said, "--lang=zh")
    told = changed.stdout.splitlines()
    begin = told.index(f"Deployment {installing.namespace}/{installing.name}")
    assert told[begin + 1 : begin + 5] == [
        "  replicas: 2 -> 3",
        "  image:",
        "    - registry.example.com/a/rather/long/path/berth:1",
        "    + registry.example.com/another/rather/long/path/berth:2",
    ]
    assert max(map(len, told[begin : begin + 5])) <= 60
    answer = installing.run("install", "--apply", "--timeout=0", "--replicas=1", "-o", "json")
    report = json.loads(answer.stdout)
    about = f"Deployment {installing.namespace}/{installing.name}"
    assert {"object": about, "field": "replicas", "old": "3", "new": "1"} in report["changes"]
    assert (report["ready"], answer.returncode) == (False, 2)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_namespace_of_others_is_refused_in_a_sentence(installing: Installing, lang: str) -> None:
    options = ["--server=nfs.example.com", "--path=/srv", "--apply", f"--lang={lang}"]
    refused = installing.run("install", *options)
    assert (refused.returncode, refused.stdout) == (2, "")
    words = {"en": "is there already, and Berth did not make it", "zh": "已存在，它不是 Berth 创建的"}[lang]
    assert refused.stderr.startswith(f"berth: {'namespace' if lang == 'en' else '命名空间'} {installing.namespace}")
    assert words in refused.stderr
    assert "--use-existing" in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.fixture
def old_default(cluster: DevCluster) -> Iterator[str]:
    """A class that is the default."""
    name = f"old-{secrets.token_hex(4)}"
    notes = {"storageclass.kubernetes.io/is-default-class": "true"}
    path = "/apis/storage.k8s.io/v1/storageclasses"
    cluster.request("POST", path, {"metadata": {"name": name, "annotations": notes}, "provisioner": "x.io/y"})
    yield name
    cluster.request("DELETE", f"{path}/{name}")


@pytest.mark.timeout(120)
def test_it_asks_before_another_class_stops_being_the_default(installing: Installing, old_default: str) -> None:
    fresh = ["install", "--apply", "--timeout=0", "--use-existing", "--server=nfs.example.com", "--path=/srv",
             f"--class={installing.name}", f"--provisioner-name={installing.name}.example/nfs",
             "--default-class"]  # fmt: skip
    for lang, words in (("en", "is the default class now"), ("zh", "目前的默认 StorageClass 是")):
        refused = installing.run(*fresh, f"--lang={lang}")
        assert (refused.returncode, refused.stdout) == (64, "")
        assert words in refused.stderr
        assert old_default in refused.stderr
        assert "--yes" in refused.stderr
    code, said = on_a_terminal(installing, "n\n", *fresh)
    assert (code, "Make " in said, "nothing was changed" in said) == (1, True, True)
    assert "nothing to remove" in installing.run("uninstall", "--yes").stdout  # nothing was made
    code, said = on_a_terminal(installing, "y\n", *fresh)
    assert f"StorageClass {installing.name} is the default class now" in said
    assert f"StorageClass {old_default} no longer is the default" in said
    assert default_classes(installing) == [installing.name]
    assert installing.run(*fresh).returncode == 2  # its pods are not ready; and nobody had to be asked


@pytest.mark.timeout(120)
def test_uninstalling_shows_its_plan_asks_and_can_be_interrupted(installing: Installing) -> None:
    with installing.start("--timeout=0") as process:
        process.communicate(timeout=60)
    looked = installing.run("uninstall", "--dry-run")
    assert (looked.returncode, looked.stderr) == (0, "")
    for words in ("goes:", f"  Deployment {installing.namespace}/{installing.name}", "stays:", "with .berth"):
        assert words in looked.stdout
    as_json = json.loads(installing.run("uninstall", "--dry-run", "-o", "json").stdout)
    assert {"kind": "ClusterRole", "key": installing.name} in as_json["goes"]
    for lang, words in (("en", "nobody is there to ask; give --yes"), ("zh", "无法询问确认")):
        refused = installing.run("uninstall", f"--lang={lang}")
        assert refused.returncode == 64
        assert words in refused.stderr
        assert "removed" not in refused.stdout
    code, said = on_a_terminal(installing, "\x03", "uninstall")
    assert (code, "nothing was changed" in said) == (130, True)
    code, said = on_a_terminal(installing, "n\n", "uninstall")
    assert (code, "Remove this?" in said) == (1, True)
    assert installing.run("uninstall", "--dry-run").stdout == looked.stdout
    code, said = on_a_terminal(installing, "y\n", "uninstall", "--lang=zh")
    assert (code, "确定删除？" in said, "完成" in said) == (0, True, True)
    assert "nothing to remove" in installing.run("uninstall", "--dry-run").stdout


def default_classes(installing: Installing) -> list[str]:
    items = installing.cluster.request("GET", "/apis/storage.k8s.io/v1/storageclasses")["items"]
    return [
        one["metadata"]["name"]
        for one in items
        if "true" in [v for k, v in (one["metadata"].get("annotations") or {}).items() if "is-default-class" in k]
    ]


def waits_on(process: subprocess.Popen[bytes]) -> str:
    """The first argument of the system call in which a process stands still, such as a file's number; or nothing."""
    told = Path(f"/proc/{process.pid}/syscall").read_text().split()
    return told[1] if len(told) > 1 else ""


def on_screen(terminal: int) -> bytes:
    """What comes to the screen next; nothing at the terminal's end."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def on_a_terminal(installing: Installing, typed: str, command: str, *options: str) -> tuple[int, str]:
    """Exit code and what is on the screen. typed: as soon as it waits for the answer to a question."""
    argv = [str(PROGRAM), command, *installing.where(), *options]
    parent, child = pty.openpty()
    with running(
        argv, stdin=child, stdout=child, stderr=child, env=installing.env, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    ) as process:  # fmt: skip
        os.close(child)
        screen = b""
        is_typed = False
        while part := on_screen(parent):
            screen += part
            if not is_typed and b"[y/N]" in screen:
                # Ctrl-C between the question and the reading of the answer is seen only with the next key.
                until("it reads the answer", lambda: waits_on(process) == "0x0")
                os.write(parent, typed.encode())
                is_typed = True
        process.wait(timeout=60)
    os.close(parent)
    return process.returncode, screen.decode()
