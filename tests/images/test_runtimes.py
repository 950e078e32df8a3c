"""What runs containers here: by the kubelet's command line, else by what is there; the image goes in and is seen.

The programs are scripts that behave as theirs do, as far as they are asked; the real containerd is asked in
test_on_a_node.py.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from berth.images import runtimes
from berth.images.archive import Archive
from berth.images.errors import ArchiveError, RuntimeFailed
from berth.images.load import Loaded, load_image
from berth.images.runtimes import Runtime, find_runtime
from release.machines import ARM64
from tests.images.archives import FULL_NAME, image_archive

CTR = """\
#!/bin/sh
echo "$0 $*" >> "$KEPT/calls"
case "$*" in
*" images ls name==docker.io/library/berth:0.1.0")
    echo "REF TYPE DIGEST SIZE PLATFORMS LABELS"
    [ ! -e "$KEPT/digest" ] || echo "docker.io/library/berth:0.1.0 application/x $(cat "$KEPT/digest") 1B -" ;;
*" images import -")
    tar -xOf - index.json > "$KEPT/index.json"
    sed 's/.*"digest": "\\([^"]*\\)".*/\\1/' "$KEPT/index.json" > "$KEPT/digest" ;;
*) exit 64 ;;
esac
"""
DOCKER = """\
#!/bin/sh
echo "$0 $*" >> "$KEPT/calls"
case "$*" in
*"image inspect --format {{.Id}} docker.io/library/berth:0.1.0")
    [ -e "$KEPT/config" ] || { echo "Error: No such image: berth:0.1.0" >&2; exit 1; }
    cat "$KEPT/config" ;;
*load)
    tar -xOf - manifest.json | sed 's|.*"Config": "blobs/sha256/\\([^"]*\\)".*|\\1|' > "$KEPT/config" ;;
*) exit 64 ;;
esac
"""


class Host:
    """A machine made of files: programs, sockets, and a kubelet's command line."""

    def __init__(self, folder: Path) -> None:
        self.root, self.proc, self.bin, self.kept = (folder / name for name in ("root", "proc", "bin", "kept"))
        for each in (self.root, self.proc, self.bin, self.kept):
            each.mkdir()

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def socket(self, path: str) -> None:
        (self.root / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path.lstrip("/")).touch()

    def kubelet(self, *arguments: str) -> None:
        (self.proc / "17").mkdir()
        (self.proc / "17/cmdline").write_bytes("\0".join(["/usr/bin/kubelet", *arguments, ""]).encode())

    def find(self, wanted: str = "") -> Runtime:
        return find_runtime(wanted, self.proc, self.root)

    def calls(self) -> list[str]:
        return [line.removeprefix(f"{self.bin}/") for line in (self.kept / "calls").read_text().splitlines()]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    made = Host(tmp_path)
    monkeypatch.setenv("PATH", f"{made.bin}:/usr/bin:/bin")
    monkeypatch.setenv("KEPT", str(made.kept))
    monkeypatch.setattr(runtimes, "PROGRAMS", str(made.bin))
    monkeypatch.setattr(runtimes, "_path", lambda: str(made.bin))
    return made


def load(host: Host, path: Path, runtime: Runtime) -> Loaded:
    with Archive(path) as archive:
        return asyncio.run(load_image(archive, "amd64", runtime, deadline=20))


@pytest.mark.parametrize(
    ("name", "program", "text", "socket", "words"),
    [
        ("k3s", "k3s", CTR, "/run/k3s/containerd/containerd.sock", "ctr "),
        ("microk8s", "microk8s", CTR, "/var/snap/microk8s/common/run/containerd.sock", "ctr "),
        ("k0s", "k0s", CTR, "/run/k0s/containerd.sock", "ctr "),
        ("ctr", "ctr", CTR, "/run/containerd/containerd.sock", ""),
        ("nerdctl", "nerdctl", DOCKER, "/run/containerd/containerd.sock", ""),
        ("docker", "docker", DOCKER, "/var/run/docker.sock", None),
        ("podman", "podman", DOCKER, "/run/crio/crio.sock", None),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isalnum() else "",
)
def test_the_only_runtime_gets_this_machines_image_once(
    host: Host, tmp_path: Path, name: str, program: str, text: str, socket: str, words: str | None
) -> None:
    host.program(program, text)
    host.socket(socket)
    runtime = host.find()
    assert (runtime.name, runtime.socket) == (name, socket)
    path = image_archive(tmp_path / "image.tar")
    first, again = load(host, path, runtime), load(host, path, runtime)
    assert (first.image, first.machine, first.runtime, first.was_there) == (FULL_NAME, "amd64", name, False)
    assert again == Loaded(first.image, first.digest, "amd64", name, was_there=True)
    calls = host.calls()
    assert sum(" import " in f"{call} " or call.endswith("load") for call in calls) == 1
    if words is not None:
        assert {call.startswith(f"{program} {words}--address={socket} --namespace=k8s.io ") for call in calls} == {True}


@pytest.fixture
def crowded(host: Host) -> Host:
    """A node with Docker, whose own containerd is there as well."""
    for program, text in (("ctr", CTR), ("docker", DOCKER)):
        host.program(program, text)
    for socket in ("/run/containerd/containerd.sock", "/var/run/docker.sock", "/run/cri-dockerd.sock"):
        host.socket(socket)
    return host


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--container-runtime-endpoint=unix:///run/containerd/containerd.sock"], "ctr"),
        (["--container-runtime-endpoint", "/run/containerd/containerd.sock"], "ctr"),
        (["--container-runtime-endpoint=unix:///run/cri-dockerd.sock"], "docker"),
        (["--kubeconfig=/etc/kubernetes/kubelet.conf"], "docker"),
        (["--config={config}"], "ctr"),
    ],
    ids=["containerd", "a word of its own", "cri-dockerd", "dockershim", "settings"],
)
def test_of_several_the_kubelet_tells_which(crowded: Host, tmp_path: Path, arguments: list[str], name: str) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        'kind: KubeletConfiguration\ncontainerRuntimeEndpoint: "unix:///run/containerd/containerd.sock"\n'
    )
    crowded.kubelet(*(each.format(config=config) for each in arguments))
    assert crowded.find().name == name


def test_of_several_without_a_kubelet_none_is_guessed(crowded: Host) -> None:
    with pytest.raises(RuntimeFailed) as refusal:
        crowded.find()
    assert refusal.value.text.en == (
        "ctr, docker are here, and no kubelet says which of them runs pods: name it, such as --with ctr"
    )
    assert crowded.find("docker").name == "docker"


def test_a_distribution_with_its_own_containerd_is_the_one(crowded: Host) -> None:
    crowded.program("k3s", CTR)
    crowded.socket("/run/k3s/containerd/containerd.sock")
    assert crowded.find().name == "k3s"


def test_containerd_at_a_place_of_its_own_is_found_by_the_kubelet(host: Host) -> None:
    host.program("ctr", CTR)
    host.kubelet("--container-runtime-endpoint=unix:///data/containerd/containerd.sock")
    assert host.find().socket == "/data/containerd/containerd.sock"


def test_a_kubelets_runtime_without_a_program_is_named(crowded: Host) -> None:
    crowded.kubelet("--container-runtime-endpoint=unix:///run/crio/crio.sock")
    with pytest.raises(RuntimeFailed, match=r"the kubelet runs containers by /run/crio/crio\.sock, and no program"):
        crowded.find()


def test_who_is_not_root_is_sent_to_root(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(RuntimeFailed, match="only root sees all"):
        host.find()


def test_where_nothing_runs_containers_it_says_so(host: Host) -> None:
    with pytest.raises(RuntimeFailed, match="no containerd, Docker or CRI-O"):
        host.find()
    with pytest.raises(RuntimeFailed, match="there is no docker on this machine"):
        host.find("docker")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("write /var/lib: no space left on device", "there is no space left for ctr"),
        ("dial unix /run/containerd/containerd.sock: connect: permission denied", "as root (with sudo)"),
        ("dial unix /run/containerd/containerd.sock: connect: connection refused", "connection refused"),
        ("ctr: unknown garbage", "failed: ctr: unknown garbage"),
    ],
    ids=["full", "no right", "not running", "anything else"],
)
def test_what_a_runtime_complains_of_is_one_sentence(host: Host, tmp_path: Path, said: str, told: str) -> None:
    failing = CTR.replace("tar -xOf - index.json", f'cat >/dev/null; echo "{said}" >&2; exit 1; true')
    host.program("ctr", failing)
    host.socket("/run/containerd/containerd.sock")
    with pytest.raises(RuntimeFailed) as refusal:
        load(host, image_archive(tmp_path / "image.tar"), host.find())
    assert told in refusal.value.text.en
    assert len(refusal.value.text.en.splitlines()) == 1


def test_an_import_that_leaves_nothing_behind_is_none(host: Host, tmp_path: Path) -> None:
    host.program("ctr", CTR.replace('> "$KEPT/digest"', "> /dev/null"))
    host.socket("/run/containerd/containerd.sock")
    with pytest.raises(RuntimeFailed, match=r"does not know docker\.io/library/berth:0\.1\.0 afterwards"):
        load(host, image_archive(tmp_path / "image.tar"), host.find())


def test_an_import_that_hangs_is_ended(host: Host, tmp_path: Path) -> None:
    host.program("ctr", CTR.replace("tar -xOf - index.json", "sleep 600; true"))
    host.socket("/run/containerd/containerd.sock")
    path = image_archive(tmp_path / "image.tar")
    with Archive(path) as archive, pytest.raises(RuntimeFailed, match=r"did not end within 0\.3 s"):
        asyncio.run(load_image(archive, "amd64", host.find(), deadline=0.3))


def test_the_wrong_machines_image_reaches_no_runtime(host: Host, tmp_path: Path) -> None:
    host.program("ctr", CTR)
    host.socket("/run/containerd/containerd.sock")
    with pytest.raises(ArchiveError, match="is for arm64, and this machine is amd64"):
        load(host, image_archive(tmp_path / "image.tar", [ARM64]), host.find())
    assert not (host.kept / "calls").exists()
