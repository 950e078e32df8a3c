"""The server in the cluster: a real API server takes its objects, and its configuration really serves, with its rights.

What kubelet would do is done by hand here: a disk is mounted, the container's own command runs with its capabilities
and no more, in a network of its own.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from berth.doctor.share.probed import ShareReport
from berth.doctor.share.verify import verify
from berth.manifests.ganesha import CAPABILITIES, CONFIGURED_AT, MOUNTED_AT, GaneshaSettings, ganesha_manifests
from berth.manifests.yaml_text import to_yaml
from berth.nfs import Connection, v4
from berth.volumes.share import ShareAddress
from devcluster.cluster import DevCluster

pytestmark = pytest.mark.slow

SETTINGS = {
    "defaults": GaneshaSettings(image="registry.example.com/nfs-ganesha:4"),
    "everything": GaneshaSettings(
        image="registry.example.com/nfs-ganesha:4",
        name="files",
        namespace="default",
        path="/exports/k8s",
        size="1.5Ti",
        disk_class="disks",
        clients=("10.0.0.0/8", "192.0.2.7"),
        root_squash=False,
        cluster_ip="10.0.0.77",
    ),
}
GROUPS = {"ConfigMap": "api", "PersistentVolumeClaim": "api", "Service": "api", "StatefulSet": "apis/apps"}
_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def container_of(settings: GaneshaSettings) -> dict[str, Any]:
    (container,) = ganesha_manifests(settings)[-1]["spec"]["template"]["spec"]["containers"]
    return dict(container)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_every_object_is_valid_to_the_letter(settings: GaneshaSettings) -> None:
    for manifest in ganesha_manifests(settings):
        for version in ("1.25", kubernetes_validate.latest_version()):
            kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_the_oldest_api_server_takes_it(cluster: DevCluster, namespace: str, settings: GaneshaSettings) -> None:
    for manifest in yaml.safe_load_all(to_yaml(ganesha_manifests(settings))):
        manifest["metadata"]["namespace"] = namespace
        kind = manifest["kind"]
        if kind == "Service" and settings.cluster_ip:
            manifest["spec"].pop("clusterIP")  # which addresses there are is the cluster's affair
        path = f"/{GROUPS[kind]}/v1/namespaces/{namespace}/{kind.lower()}s?dryRun=All"
        taken = cluster.request("POST", path, manifest)
        assert taken["metadata"]["name"] == settings.name


def test_labels_lead_from_the_service_to_the_pod() -> None:
    _, disk, service, server = ganesha_manifests(SETTINGS["everything"])
    labels = server["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert service["spec"]["clusterIP"] == "10.0.0.77"
    assert server["spec"]["replicas"] == 1
    volumes = {volume["name"]: volume for volume in server["spec"]["template"]["spec"]["volumes"]}
    assert volumes["disk"]["persistentVolumeClaim"]["claimName"] == disk["metadata"]["name"]


def test_no_needless_rights() -> None:
    rights = container_of(SETTINGS["defaults"])["securityContext"]
    assert rights["capabilities"]["drop"] == ["ALL"]
    assert "SYS_ADMIN" not in rights["capabilities"]["add"]
    assert rights["readOnlyRootFilesystem"]
    spec = ganesha_manifests(SETTINGS["defaults"])[-1]["spec"]["template"]["spec"]
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    assert not [volume for volume in spec["volumes"] if "hostPath" in volume]


class Pod:
    """The container, as far as that takes no kubelet: everything below is called in a thread with its namespaces."""

    def __init__(self, below: Path, settings: GaneshaSettings) -> None:
        self.below = below
        self.root = below / "root"
        self.settings = settings
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def disk(self) -> Path:
        """Where the disk is mounted, as seen from here."""
        return self.root / MOUNTED_AT.lstrip("/")

    def enter(self) -> None:
        """Moves the calling thread into namespaces of its own, and makes the container's root: all is read-only there
        but what the manifest mounts. This machine's files stand for the image."""
        if _LIBC.unshare(_CLONE_NEWNS | _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        mounts = {each["mountPath"]: each["name"] for each in container_of(self.settings)["volumeMounts"]}
        layer, inside = self.below / "layer", f"{self.root}{{}}".format
        for directory in (layer, self.root):
            directory.mkdir()
        sh("mount --make-rprivate / && ip link set lo up")
        sh(f"mount -t tmpfs tmpfs {layer} && mkdir {layer}/upper {layer}/work")
        sh(f"mount -t overlay overlay -o lowerdir=/,upperdir={layer}/upper,workdir={layer}/work {self.root}")
        for path in mounts:
            Path(inside(path)).mkdir(parents=True, exist_ok=True)
        sh(f"mount -o remount,ro {self.root}")
        for path in ("/proc", "/dev"):
            sh(f"mount --rbind {path} {inside(path)}")
        for path, name in mounts.items():
            if name != "disk":
                sh(f"mount -t tmpfs tmpfs {inside(path)}")

    def start(self, disk: str) -> None:
        """Attaches the disk (arguments of mount) and runs the container's command with its rights, until it listens."""
        sh(f"mount {disk} {self.disk}")
        text = ganesha_manifests(self.settings)[0]["data"]["ganesha.conf"]
        Path(f"{self.root}{CONFIGURED_AT}", "ganesha.conf").write_text(text)
        rights = ",".join(["-all", *(f"+{name.lower()}" for name in CAPABILITIES)])
        argv = ["chroot", str(self.root), "setpriv", "--no-new-privs", f"--bounding-set={rights}", "--inh-caps=-all"]
        with open(self.below / "log", "ab") as log:
            command = container_of(self.settings)["command"]
            self.process = subprocess.Popen([*argv, *command], stdout=log, stderr=log)
        end = time.monotonic() + 30
        while not listens():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < end, self.said()
            time.sleep(0.02)

    def probe(self) -> subprocess.CompletedProcess[str]:
        """What the startup probe answers."""
        command = container_of(self.settings)["startupProbe"]["exec"]["command"]
        argv = ["chroot", str(self.root), *command]
        return subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)

    def said(self) -> str:
        """What the container has printed."""
        return (self.below / "log").read_text()

    def stop(self) -> None:
        """Ends it as kubelet does, and detaches the disk."""
        if self.process is not None:
            self.process.terminate()
            assert self.process.wait(20) == 0, self.said()
            self.process = None
            sh(f"umount {self.disk}")


def sh(script: str) -> None:
    subprocess.run(["sh", "-c", script], check=True, timeout=60)


def listens() -> bool:
    return any(line.split()[1].endswith(":0801") and line.split()[3] == "0A" for line in tables())


def tables() -> list[str]:
    """The TCP sockets of this thread's network."""
    names = ("tcp", "tcp6")
    return [line for name in names for line in Path(f"/proc/thread-self/net/{name}").read_text().splitlines()[1:]]


@contextmanager
def pod_with(settings: GaneshaSettings, below: Path) -> Iterator[Callable[[Callable[[Pod], Any]], Any]]:
    """Runs functions in the namespaces of a pod."""
    if os.geteuid():
        pytest.skip("namespaces and disks of one's own take root")
    pod = Pod(below, settings)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(pod.enter).result()
        try:
            yield lambda job: thread.submit(job, pod).result()
        finally:
            if pod.process is not None:
                pod.process.kill()
                pod.process.wait()


def test_it_serves_and_handles_outlive_the_pod_and_its_device(tmp_path: Path) -> None:
    settings = GaneshaSettings(image="none", path="/exports/k8s")
    disk, other = tmp_path / "disk", tmp_path / "other"
    for path in (disk, other):
        sh(f"truncate -s 16M {path} && mkfs.ext4 -q -F {path}")

    async def handle_of_the_root() -> bytes:
        connection = Connection("127.0.0.1", 2049, 100003, 4)
        await connection.connect()
        session = await v4.open_session(connection, settings.path)
        session.close()
        await asyncio.sleep(0)
        return session.root.handle

    async def owner_of(handle: bytes) -> int:
        connection = Connection("127.0.0.1", 2049, 100003, 4)
        await connection.connect()
        session = await v4.open_session(connection, "/")
        try:
            return (await session.attributes(handle)).uid
        finally:
            session.close()
            await asyncio.sleep(0)

    def job(pod: Pod) -> ShareReport:
        assert pod.probe().returncode == 1  # nobody listens
        pod.start(f"-o loop {disk}")
        assert pod.probe().returncode == 0
        report = asyncio.run(verify(ShareAddress("127.0.0.1", settings.path)))
        handle = asyncio.run(handle_of_the_root())
        device = os.stat(pod.disk).st_dev
        pod.stop()
        sh(f"mount -t tmpfs tmpfs /mnt && mkdir /mnt/other && mount -o loop {other} /mnt/other")  # on the free device
        try:
            pod.start(f"-o loop {disk}")
            assert os.stat(pod.disk).st_dev != device
            assert asyncio.run(owner_of(handle)) == 65534
            assert (pod.disk / "state").is_dir()
            pod.stop()
        finally:
            sh("umount /mnt/other")
        return report

    with pod_with(settings, tmp_path) as run:
        report = run(job)
    assert "locktest" not in (tmp_path / "log").read_text()  # a server that can't try locks out does without them
    found = {probe.id: probe for probe in report.probes}
    assert report.outcome == "passed", report
    assert found["squash"].facts["uid"] == 65534
    assert found["lock"].seen.en == "kept, over NFSv4.0"
    assert found["answers"].facts["versions"] == "4"


def test_only_its_clients_may_mount_it(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    sh(f"truncate -s 16M {disk} && mkfs.ext4 -q -F {disk}")
    settings = GaneshaSettings(image="none", clients=("192.0.2.0/24",), root_squash=False)

    def job(pod: Pod) -> tuple[ShareReport, ShareReport]:
        sh("ip addr add 192.0.2.1/24 dev lo && ip addr add 198.51.100.1/24 dev lo")
        pod.start(f"-o loop {disk}")
        assert pod.probe().returncode == 0  # whoever its clients are
        reports = [asyncio.run(verify(ShareAddress(address, "/share"))) for address in ("198.51.100.1", "192.0.2.1")]
        pod.stop()
        return reports[0], reports[1]

    with pod_with(settings, tmp_path) as run:
        stranger, client = run(job)
    assert stranger.culprit is not None
    assert stranger.culprit.id == "mount-4.0"
    assert client.outcome == "passed"
    assert {probe.id: probe for probe in client.probes}["squash"].facts["uid"] == 0


def test_a_server_that_could_not_load_its_export_is_not_called_started(tmp_path: Path) -> None:
    """A disk without file handles, as a seccomp profile may make of any: the port is open, with nothing behind it."""

    def job(pod: Pod) -> subprocess.CompletedProcess[str]:
        layer = pod.below / "layer"
        for name in ("lower", "written", "space"):
            (layer / name).mkdir()
        pod.start(f"-t overlay overlay -o lowerdir={layer}/lower,upperdir={layer}/written,workdir={layer}/space")
        return pod.probe()

    with pod_with(GaneshaSettings(image="none"), tmp_path) as run:
        answer = run(job)
    assert answer.returncode == 1
    assert answer.stdout == "/share is not served (NFS status 0x00000002); the log of this container says why\n"
