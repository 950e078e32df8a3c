"""What a node does with a PV: mounts it as a kubelet would, and runs pods on it."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from lightkube.resources.core_v1 import PersistentVolume

DEADLINE = 30.0
"""Seconds for what takes a fraction of one: who waits longer hangs."""


@contextmanager
def mount(pv: PersistentVolume) -> Iterator[Path]:
    """The PV's volume, mounted from what its spec says and nothing else, with the arguments that a kubelet gives."""
    assert pv.metadata is not None
    assert pv.spec is not None
    assert pv.spec.nfs is not None
    target = Path(f"/var/lib/kubelet/pods/one/volumes/kubernetes.io~nfs/{pv.metadata.name}")
    target.mkdir(parents=True)
    options = ["-o", ",".join(pv.spec.mountOptions)] if pv.spec.mountOptions else []
    source = f"{pv.spec.nfs.server}:{pv.spec.nfs.path}"
    subprocess.run(["mount", "-t", "nfs", *options, source, str(target)], check=True, timeout=DEADLINE)
    try:
        yield target
    finally:
        subprocess.run(["umount", str(target)], check=True, timeout=DEADLINE)


def options_of(target: Path) -> set[str]:
    """What the kernel says about a mount."""
    [options] = [line.split()[3] for line in Path("/proc/mounts").read_text().splitlines() if f" {target} " in line]
    return set(options.split(","))


class Failed(Exception):  # noqa: N818
    """The kernel refused a pod something. code: errno's name."""

    def __init__(self, what: str, code: str) -> None:
        super().__init__(f"{what}: {code}")
        self.code = code


class Pod:
    """A process with a volume at its hands, as a user."""

    def __init__(self, mounted: Path, uid: int) -> None:
        script = Path(__file__).with_name("pod.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(script), str(mounted), str(uid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def do(self, what: str, *arguments: str) -> Any:
        """What came of it; Failed when the kernel says no, TimeoutError when it says nothing."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([what, *arguments]) + "\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], DEADLINE)[0]:
            raise TimeoutError(f"{what} {' '.join(arguments)} hangs")
        answer = json.loads(self._process.stdout.readline())
        if "failed" in answer:
            raise Failed(what, answer["failed"])
        return answer["did"]

    def end(self) -> None:
        """Ends it; what it held open is closed."""
        self._process.kill()
        self._process.communicate(timeout=DEADLINE)


@contextmanager
def pods(mounted: Path, *uids: int) -> Iterator[list[Pod]]:
    """A pod for each user, ended behind."""
    with ExitStack() as stack:
        running = []
        for uid in uids:
            running.append(Pod(mounted, uid))
            stack.callback(running[-1].end)
        yield running
