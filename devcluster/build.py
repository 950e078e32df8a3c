"""Builds the control plane and a node's programs from Debian 12's source package `kubernetes`, once; they are cached.

Nothing of the machine's own is touched: apt gets a sources list and state folders of its own, made from the machine's,
and everything is built in a folder below the cache that goes away again.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from devcluster import binaries, progress
from devcluster.apt import Apt, archive_lines
from devcluster.errors import DevClusterError


def control_plane(programs: Sequence[str] = binaries.CONTROL_PLANE) -> None:
    """Makes the programs available in the cache; about 5 minutes on two cores.

    Returns at once when they are there, or when KUBEBUILDER_ASSETS says that others are to be used. All that one call
    names is built in one go: a node's programs are half a minute more, and five minutes when they are asked for later.
    Two callers at a time: the second waits, and then has them too.
    """
    if binaries.are_available(programs):
        return
    with alone(binaries.cache() / "kubernetes.lock", "builds the control plane"):
        wanted = [name for name in programs if not (binaries.built() / name).exists()]
        if not wanted:
            return
        log = binaries.cache() / "log" / "kubernetes.log"
        log.unlink(missing_ok=True)
        _check_room(binaries.cache())
        # In the cache rather than in /tmp, which is in memory on some machines: this needs some 3 GB.
        with tempfile.TemporaryDirectory(prefix="kubernetes-build-", dir=binaries.cache()) as work:
            source = _fetch(Path(work), log)
            _repair(source)
            made = _compile(Path(work), source, wanted, log)
            binaries.built().mkdir(parents=True, exist_ok=True)
            for name in wanted:
                os.replace(made / name, binaries.built() / name)


def _fetch(work: Path, log: Path) -> Path:
    """Downloads and unpacks the source into a GOPATH below work; answers where it is."""
    apt = Apt(work / "apt", [*archive_lines("deb-src")], log)
    apt.update("Reading Debian's list of sources")
    progress.run(
        f"Downloading the source of Kubernetes {binaries.VERSION}",
        [*apt.command, "source", "--download-only", "kubernetes"],
        log=log,
        cwd=work,
    )
    described = next(work.glob("kubernetes_*.dsc"), None)
    if described is None or f"{binaries.VERSION}-" not in described.name:
        found = described.name if described else "no kubernetes at all"
        raise DevClusterError(
            f"Debian 12 has the source of Kubernetes {binaries.VERSION}, and this machine's Debian has {found}; "
            "set KUBEBUILDER_ASSETS to a folder with kube-apiserver and kube-controller-manager instead"
        )
    source = work / "go" / "src" / "k8s.io" / "kubernetes"
    source.parent.mkdir(parents=True)
    # apt has checked the signature of what it downloaded.
    unpack = ["dpkg-source", "--no-check", "--extract", str(described), str(source)]
    progress.run("Unpacking it", unpack, log=log)
    return source


def _repair(source: Path) -> None:
    """Corrects a call that this source makes for Go before 1.18, whose memory Debian's Go of today would overwrite.

    reflect's mapiterinit used to answer an iterator; since 1.18 it fills one that it is given. The library reflect2 in
    this source calls it the old way, and what a register happens to point to is overwritten: now and then a request to
    the API server ended in a nil dereference. https://github.com/modern-go/reflect2/releases/tag/v1.0.2 corrects it so.
    """
    library = source / "vendor" / "github.com" / "modern-go" / "reflect2"
    for name, old, new in _REPAIRS:
        text = (library / name).read_text()
        if text.count(old) != 1:
            raise DevClusterError(f"the source of Kubernetes is not as expected: {library / name} has no {old!r}")
        (library / name).write_text(text.replace(old, new))


_REPAIRS = (
    (
        "unsafe_link.go",
        "func mapiterinit(rtype unsafe.Pointer, m unsafe.Pointer) *hiter",
        "func mapiterinit(rtype unsafe.Pointer, m unsafe.Pointer, it *hiter)",
    ),
    # The size of the runtime's own structure, and what in it are pointers.
    ("unsafe_link.go", "// rest fields are ignored", "pointers [6]unsafe.Pointer; numbers [4]uintptr"),
    (
        "unsafe_map.go",
        """	return &UnsafeMapIterator{
		hiter:      mapiterinit(type2.rtype, *(*unsafe.Pointer)(obj)),
""",
        """	var it hiter
	mapiterinit(type2.rtype, *(*unsafe.Pointer)(obj), &it)
	return &UnsafeMapIterator{
		hiter:      &it,
""",
    ),
)


def _compile(work: Path, source: Path, programs: Sequence[str], log: Path) -> Path:
    """Builds the programs; answers the folder that they are in."""
    env = {
        "GOPATH": f"{work}/go",
        "GOCACHE": f"{work}/go-cache",
        "GO111MODULE": "off",
        "GOFLAGS": "-v",  # names each package as it is compiled: the progress that people see
        "GOROOT": "",
        "KUBE_GIT_TREE_STATE": "archive",
        "KUBE_GIT_COMMIT": "debian",
        "KUBE_GIT_VERSION": f"v{binaries.VERSION}",
        "KUBE_GIT_MAJOR": binaries.VERSION.split(".")[0],
        "KUBE_GIT_MINOR": binaries.VERSION.split(".")[1],
        # Debian's Go, whichever other one comes first elsewhere.
        "PATH": f"/usr/bin:{os.environ['PATH']}",
    }
    targets = " ".join(f"cmd/{name}" for name in programs)
    progress.run(
        f"Building {' and '.join(programs)} (once, about 5 minutes)",
        ["make", f"WHAT={targets}"],
        log=log,
        env=env,
        cwd=source,
        describe=_Describe(),
    )
    made = source / "_output" / "local" / "bin"
    return next(path.parent for path in made.glob(f"*/*/{programs[0]}"))


class _Describe:
    """Turns the build's output into "812 packages, now k8s.io/…": a number that grows is what people want to see."""

    def __init__(self) -> None:
        self._compiled = 0

    def __call__(self, line: str) -> str:
        if re.fullmatch(r"[\w.-]+(/[\w.-]+)+", line):
            self._compiled += 1
            return f"{self._compiled} packages, now {line.removeprefix('k8s.io/kubernetes/vendor/')}"
        return ""


def _check_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < 4 << 30:
        raise DevClusterError(
            f"building the control plane takes 4 GB for a while, and {folder} has {free >> 20} MB left; "
            "make room, or set BERTH_CACHE to a folder on another disk"
        )


@contextmanager
def alone(lock: Path, doing: str) -> Iterator[None]:
    """Lets one process at a time in. doing: what each does in there, for those who wait."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Another process {doing}; waiting for it ...", file=sys.stderr, flush=True)
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
