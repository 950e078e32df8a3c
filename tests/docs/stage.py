"""Where a guide's blocks are run: a real cluster with a node, NFS servers, and a host that becomes one."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from berth import __version__
from devcluster import binaries
from devcluster.cluster import DevCluster
from devcluster.errors import DevClusterError
from devcluster.ganesha import Export, GaneshaServer
from devcluster.kernel import run_in_kernel
from release import image
from tests.docs.likeness import alike
from tests.docs.page import Block, Command, Page
from tests.e2e.waiting import until

IMAGE = f"docker.io/library/berth:{__version__}"
"""What a kubelet makes of the name that is installed unless another is given."""
SERVER, EXPORT = "10.0.0.5", "/srv/nfs/k8s"
"""The NFS server of all guides, and what it exports."""
SECOND, FAST = "10.0.0.6", "/srv/nfs/fast"
"""The one that some guides add."""
PATIENCE = 90.0
"""Seconds until a command has to print what it should."""
_LOOKS = re.compile(r"(?:kubectl (?:get|describe|logs|events)|ls|cat|find|berth (?:doctor|plan)) ?")
_SYSTEM = ("default", "kube-system", "kube-public", "kube-node-lease")


class Stage:
    """One cluster for any number of pages, which are run one after the other."""

    def __init__(self, cluster: DevCluster, servers: dict[str, GaneshaServer], room: Path) -> None:
        """servers: by the addresses that guides call them by. room: an empty folder."""
        self.cluster = cluster
        self._servers = servers
        self._room = room
        programs = room / "bin"
        programs.mkdir()
        (programs / "kubectl").symlink_to(binaries.find().kubectl)
        for name in ("berth", "kubectl-berth"):
            (programs / name).symlink_to(Path(sys.executable).parent / name)

    def run(self, page: Page) -> Iterator[tuple[Block, list[tuple[Command, list[str]]]]]:
        """The page's blocks that are run, in order, on a cluster without Berth: each command, and what it prints."""
        desk = self._room / page.path.stem
        shutil.rmtree(desk, ignore_errors=True)
        desk.mkdir()
        self._tidy()
        ahead = _on_a_new_server(page, desk)
        for block in page.blocks:
            if "file" in block.marks:
                (desk / block.marks["file"]).write_text(self._real("\n".join(block.lines)) + "\n")
            if "setup" in block.marks:
                self._prepare(page, block.marks["setup"], desk)
            if not block.is_run:
                continue
            commands = block.commands()
            if block.place == "server":
                yield block, [(command, ahead.pop(0)) for command in commands]
                continue
            untils = [*[""] * (len(commands) - 1), block.marks.get("until", "")]
            yield (
                block,
                [
                    (command, self._type(command, desk, block.place, until, page.language))
                    for command, until in zip(commands, untils, strict=True)
                ],
            )

    def _prepare(self, page: Page, text: str, desk: Path) -> None:
        """What the page takes for granted. DevClusterError where it does not work."""
        done = f"({text}) && echo done"
        said = self._shown(_shell(self._real(done), desk, self._environment(page.language)))
        if said[-1:] != ["done"]:
            raise DevClusterError(f"{page.name}: `{text}` does not work: {' '.join(said)}")

    def _type(self, command: Command, desk: Path, place: str, until: str, language: str) -> list[str]:
        """What a command prints; one that only looks is repeated until it sees what it should."""
        text = self._real(command.text, directories=place == "share")
        deadline = time.monotonic() + PATIENCE
        while True:
            seen = self._shown(_shell(text, desk, self._environment(language)))
            is_there = re.search(until, "\n".join(seen)) if until else alike(command.output, seen)
            repeats = bool(until) or bool(_LOOKS.match(command.text))
            if is_there or not repeats or time.monotonic() > deadline or (not until and not command.output):
                return seen
            time.sleep(0.5)

    def _environment(self, language: str) -> dict[str, str]:
        return {
            "PATH": f"{self._room}/bin:{os.environ['PATH']}",
            "HOME": str(self._room),
            "KUBECONFIG": str(self.cluster.kubeconfig),
            "LANG": "zh_CN.UTF-8" if language == "zh" else "C.UTF-8",
            "COLUMNS": "120",
        }

    def _real(self, text: str, *, directories: bool = False) -> str:
        """A page's text with the addresses that servers have here; with directories: with theirs instead of exports."""
        for address, server in self._servers.items():
            text = text.replace(address, server.host)
            for export in server.exports if directories else ():
                text = text.replace(export.path, str(server.directory_of(export.path)))
        return text

    def _shown(self, text: str) -> list[str]:
        for address, server in self._servers.items():
            for export in server.exports:
                text = text.replace(str(server.directory_of(export.path)), export.path)
            in_a_table = re.compile(rf"{re.escape(server.host)}(?= {{2}})")
            text = in_a_table.sub(address.ljust(len(server.host)), text).replace(server.host, address)
        subnet = re.escape(self.cluster.node.room.subnet) if self.cluster.node else "$^"
        text = re.sub(rf"\b{subnet}\.(\d+)\b", r"10.244.0.\1", text)
        return text.replace(f"{self.cluster.kubeconfig}", "~/.kube/config").splitlines()

    def _tidy(self) -> None:
        """Takes away what the page before has made."""
        kubectl = self.cluster.kubectl
        namespaces = [name for name in self._names("namespaces") if name not in (*_SYSTEM, "berth-system")]
        kubectl("delete", "pods,pvc,deployments,jobs,networkpolicies,events", "--all", "-n", "default", "--wait=false")
        for name in namespaces:
            kubectl("delete", "namespace", name, "--wait=false")
        deadline = time.monotonic() + PATIENCE
        while self._names("pv") and self._names("deployments", "-n", "berth-system") and time.monotonic() < deadline:
            time.sleep(0.5)
        _shell("berth uninstall --yes", self._room, self._environment("en"))
        for name in self._names("pv"):
            kubectl("patch", "pv", name, "--type=json", '-p=[{"op":"remove","path":"/metadata/finalizers"}]')
        kubectl("delete", "pv,storageclasses", "--all")
        kubectl("delete", "namespace", "berth-system", *namespaces, "--ignore-not-found")
        for server in self._servers.values():
            for export in server.exports:
                for found in server.directory_of(export.path).iterdir():
                    shutil.rmtree(found)

    def _names(self, kind: str, *options: str) -> list[str]:
        return self.cluster.kubectl("get", kind, *options, "-o", "name").replace("/", " ").split()[1::2]


@contextmanager
def stage(room: Path) -> Iterator[Stage]:
    """A fresh one. room: an empty folder."""
    with ExitStack() as held:
        cluster = held.enter_context(DevCluster())
        node = cluster.start_node(exports=[Export(EXPORT, reserved_ports=True)])
        node.import_images(image.berth())
        node.run("ctr", "--namespace=k8s.io", "images", "tag", image.NAME, IMAGE)
        images = ("get", "nodes", "--output=jsonpath={.items[*].status.images[*].names}")
        # Kubelets tell of new images once in a while, and what nobody has is not installed.
        until("the node tells of the image", lambda: IMAGE in cluster.kubectl(*images), deadline=PATIENCE)
        other = f"{node.room.subnet}.254"
        subprocess.run(["ip", "address", "add", f"{other}/24", "dev", node.room.link], check=True, timeout=10)
        second = held.enter_context(GaneshaServer(exports=[Export(FAST, reserved_ports=True)], host=other))
        # A kubelet looks every half minute which images it has, and Berth believes it.
        node.kubelet.wait_until(lambda: _has_image(cluster, node.name), f"a node that tells that it has {IMAGE}", 120)
        yield Stage(cluster, {SERVER: node.nfs, SECOND: second}, room)


def _has_image(cluster: DevCluster, node: str) -> bool:
    images = cluster.request("GET", f"/api/v1/nodes/{node}")["status"].get("images", [])
    return any(IMAGE in (image.get("names") or []) for image in images)


def _shell(text: str, desk: Path, environment: dict[str, str]) -> str:
    """What bash prints, errors too, in the order in which it comes; exported variables are there for the next one."""
    state = desk / ".exported"
    script = f"set -a\n[ ! -e {state} ] || . {state}\n{text}\nended=$?\nexport -p > {state}\nexit $ended\n"
    done = subprocess.run(
        ["timeout", "120", "bash", "--noprofile", "--norc", "-c", script],
        cwd=desk, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=180, check=False,
    )  # fmt: skip
    return done.stdout


_MARK = "=====command====="
_GUEST = """\
rmdir /run/rpcbind  # the guest's own; Debian's init script wants it to be another user's
ip address add {server}/8 dev lo
modprobe lockd
echo 3 > /proc/sys/fs/nfs/nlm_timeout
# The guest's root is an overlay, which NFSv4 can't hand out: the host that readers see has XFS.
for each in /*; do
    if [ -L "$each" ]; then cp --no-dereference "$each" /srv/xfs/
    elif [ -d "$each" ] && [ "$each" != /srv ]; then mkdir -p "/srv/xfs$each" && mount --rbind "$each" "/srv/xfs$each"
    fi
done
mkdir /srv/xfs/srv
unset LC_ALL
export PATH={programs}:$PATH COLUMNS=120 LANG={locale} PYTHONDONTWRITEBYTECODE=1
exec chroot /srv/xfs bash -c {script}
"""


def _on_a_new_server(page: Page, desk: Path) -> list[list[str]]:
    """What the page's commands for an NFS host print, each in its turn."""
    blocks = [block for block in page.blocks if block.is_run and block.place == "server"]
    texts = [command.text for block in blocks for command in block.commands()]
    if not texts:
        return []
    locale = "zh_CN.UTF-8" if page.language == "zh" else "C.UTF-8"
    programs = shlex.quote(str(Path(sys.executable).parent))
    script = shlex.quote("\n".join(f"echo {_MARK}\n{text}" for text in texts))
    script = _GUEST.format(server=SERVER, programs=programs, locale=locale, script=script)
    result = run_in_kernel(script, out_dir=desk / "guest", deadline=240)
    return [part.strip("\n").splitlines() for part in result.output.split(f"{_MARK}\n")[1:]]
