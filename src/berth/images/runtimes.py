"""What runs containers on this machine, and how it is asked to import an image and to show one.

Which one pods use, the kubelet's own command line says; where there is no kubelet to look at (k3s and microk8s have
theirs inside), the only runtime that is here is it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from berth.aio.command import PROGRAMS
from berth.images.errors import RuntimeFailed
from berth.images.texts import say
from berth.texts.text import Text

_NAMESPACE = "k8s.io"
"""Where the kubelets' interface to containerd keeps its images."""
_ELSEWHERE = "/var/lib/rancher/rke2/bin:/snap/bin:/usr/local/k0s/bin"
_SHOWN = "{{.Id}}"

Shown = Callable[[str, str], str]
"""Of what a program printed, and the image's name: the digest, empty where the image is not there."""


@dataclass(frozen=True, slots=True)
class RuntimeKind:
    """One kind of runtime: its program, the sockets that it may listen at, and the program's words."""

    name: str
    program: str
    sockets: tuple[str, ...]
    head: tuple[str, ...]
    """{socket} stands for the socket."""
    imports: tuple[str, ...]
    shows: tuple[str, ...]
    """{image} stands for the image's name."""
    shown: Shown


@dataclass(frozen=True, slots=True)
class Runtime:
    """One that is here."""

    kind: RuntimeKind
    program: str
    socket: str

    @property
    def name(self) -> str:
        """Its kind's."""
        return self.kind.name

    @property
    def import_argv(self) -> list[str]:
        """Imports the archive on its stdin."""
        return [self.program, *self._filled(self.kind.head), *self.kind.imports]

    def show_argv(self, image: str) -> list[str]:
        """Shows an image, if it is there."""
        return [
            self.program,
            *self._filled(self.kind.head),
            *(part.replace("{image}", image) for part in self.kind.shows),
        ]

    def _filled(self, head: Sequence[str]) -> list[str]:
        return [part.replace("{socket}", self.socket) for part in head]


def _listed(said: str, image: str) -> str:
    """The digest in the table of `ctr images ls`."""
    rows = (line.split() for line in said.splitlines())
    return next((row[2] for row in rows if len(row) > 2 and row[0] == image), "")


def _inspected(said: str, _image: str) -> str:
    told = said.strip()
    return told if not told or told.startswith("sha256:") else f"sha256:{told}"


def _ctr(name: str, program: str, sockets: tuple[str, ...], head: tuple[str, ...] = ()) -> RuntimeKind:
    """A kind that containerd's own program speaks for: `head` before it, where it is a part of another one."""
    words = (*head, "--address={socket}", f"--namespace={_NAMESPACE}")
    return RuntimeKind(
        name, program, sockets, words, ("images", "import", "-"), ("images", "ls", "name=={image}"), _listed
    )


def _docker_like(name: str, program: str, sockets: tuple[str, ...], head: tuple[str, ...] = ()) -> RuntimeKind:
    shows = ("image", "inspect", "--format", _SHOWN, "{image}")
    return RuntimeKind(name, program, sockets, head, ("load",), shows, _inspected)


_CONTAINERD = ("/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock")
_RANCHER = ("/run/k3s/containerd/containerd.sock",)
KINDS = (
    _ctr("k3s", "k3s", _RANCHER, ("ctr",)),
    _ctr("rke2", "/var/lib/rancher/rke2/bin/ctr", _RANCHER),
    _ctr("microk8s", "microk8s", ("/var/snap/microk8s/common/run/containerd.sock",), ("ctr",)),
    _ctr("k0s", "k0s", ("/run/k0s/containerd.sock",), ("ctr",)),
    _ctr("ctr", "ctr", _CONTAINERD),
    _docker_like("nerdctl", "nerdctl", _CONTAINERD, ("--address={socket}", f"--namespace={_NAMESPACE}")),
    _docker_like("docker", "docker", ("/var/run/docker.sock", "/run/docker.sock", "/run/cri-dockerd.sock")),
    _docker_like("podman", "podman", ("/run/crio/crio.sock", "/var/run/crio/crio.sock", "/run/podman/podman.sock")),
)
"""In the order in which they are preferred where several speak for the same socket."""
_BUNDLED, _DOCKER = ("k3s", "rke2", "microk8s", "k0s"), "docker"
"""Distributions that bring a containerd of their own: where one is, pods run in it."""


def find_runtime(wanted: str = "", proc: Path = Path("/proc"), root: Path = Path("/")) -> Runtime:
    """The runtime that pods of this machine use, or the wanted one. RuntimeFailed with what was looked for."""
    here = [runtime for kind in KINDS for runtime in _here(kind, root)]
    if wanted:
        found = [runtime for runtime in here if runtime.name == wanted] or list(_by_program(wanted))
        if not found:
            raise RuntimeFailed(say("runtime.not-here", wanted=wanted))
        return found[0]
    socket = kubelet_socket(proc)
    if socket == "":
        here = [runtime for runtime in here if runtime.name == _DOCKER] or here
    elif socket is not None:
        here = [runtime for runtime in here if _is_same(runtime.socket, socket, root)] or list(_unknown(socket))
    if not here:
        raise RuntimeFailed(_not_found(socket))
    here = [runtime for runtime in here if runtime.name in _BUNDLED] or here
    first, *others = here
    if any(one.name != first.name and not _is_same(one.socket, first.socket, root) for one in others):
        names = list(dict.fromkeys(runtime.name for runtime in here))
        raise RuntimeFailed(say("runtime.several", names=names, first=first.name))
    return first


def _not_found(socket: str | None) -> Text:
    if os.geteuid() != 0:
        return say("runtime.none-seen")
    return say("runtime.no-program", socket=socket) if socket else say("runtime.none")


def kubelet_socket(proc: Path) -> str | None:
    """The socket that a running kubelet was given; empty where it was given none, which before Kubernetes 1.24 meant
    Docker. None where no kubelet is seen.
    """
    for line in _command_lines(proc):
        if os.path.basename(line[0]) != "kubelet":
            continue
        given = _option(line, "--container-runtime-endpoint")
        if given is None and (config := _option(line, "--config")):
            given = _configured(Path(config))
        return (given or "").removeprefix("unix://")
    return None


def _command_lines(proc: Path) -> Iterator[list[str]]:
    for path in proc.glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().rstrip(b"\0").split(b"\0")
        except OSError:
            continue  # it has ended meanwhile
        yield [os.fsdecode(word) for word in line]


def _option(line: Sequence[str], name: str) -> str | None:
    for at, word in enumerate(line):
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
        if word == name and at + 1 < len(line):
            return line[at + 1]
    return None


def _configured(path: Path) -> str | None:
    """What a KubeletConfiguration says, since Kubernetes 1.27: read as lines, which its files always are."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return None
    name = "containerRuntimeEndpoint:"
    return next((line.removeprefix(name).strip().strip("\"'") for line in lines if line.startswith(name)), None)


def _here(kind: RuntimeKind, root: Path) -> Iterator[Runtime]:
    program = shutil.which(kind.program, path=_path())
    if program is None:
        return
    for socket in kind.sockets:
        if may_be_there(root / socket.lstrip("/")):
            yield Runtime(kind, program, socket)


def may_be_there(path: Path) -> bool:
    """Whether it is, or lies in a folder that we may not look into."""
    try:
        path.stat()
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def _by_program(wanted: str) -> Iterator[Runtime]:
    """A wanted one whose socket is nowhere that we know: podman needs none."""
    for kind in KINDS:
        if kind.name == wanted and (program := shutil.which(kind.program, path=_path())):
            yield Runtime(kind, program, kind.sockets[0])


def _unknown(socket: str) -> Iterator[Runtime]:
    """containerd at a socket of the administrator's own choice."""
    kind = next(kind for kind in KINDS if kind.name == "ctr")
    program = shutil.which(kind.program, path=_path())
    if program and "containerd" in socket:
        yield Runtime(kind, program, socket)


def _is_same(one: str, other: str, root: Path) -> bool:
    return os.path.realpath(root / one.lstrip("/")) == os.path.realpath(root / other.lstrip("/"))


def _path() -> str:
    return ":".join(filter(None, (os.environ.get("PATH", ""), PROGRAMS, _ELSEWHERE)))
