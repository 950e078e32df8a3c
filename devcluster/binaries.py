"""Where the programs of the control plane are: KUBEBUILDER_ASSETS where set, else the cache that build.py fills."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from devcluster.errors import CommandFailed, DevClusterError, ProgramMissing

VERSION = "1.20.2"
"""The Kubernetes that Debian 12's source package holds, and that is built and cached."""

_REVISION = 2
"""Counted up when build.py makes something better of the same source: what was built before is built anew."""

CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager")
"""What is built: the programs that every dev cluster needs."""

NODE = ("kube-scheduler", "kubelet")
"""What is built besides, where a real node is wanted."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs of one control plane."""

    etcd: Path
    apiserver: Path
    controller_manager: Path
    kubectl: Path


def cache() -> Path:
    """The folder for what is expensive to make: $BERTH_CACHE, else ~/.cache/berth."""
    chosen = os.environ.get("BERTH_CACHE")
    return Path(chosen).absolute() if chosen else Path.home() / ".cache" / "berth"


def built() -> Path:
    """Where the cached control plane is, or will be once it has been built."""
    return cache() / "kubernetes" / f"v{VERSION}-{_REVISION}"


def are_available(programs: Sequence[str] = CONTROL_PLANE) -> bool:
    """True when nothing has to be built: KUBEBUILDER_ASSETS says where programs are, or the cache has them."""
    return all(_is_available(name) for name in programs)


def find() -> Binaries:
    """The programs to run; ProgramMissing, saying what to do, when one is not here."""
    return Binaries(
        etcd=_program("etcd", "Debian's package etcd-server has it"),
        apiserver=_built_program("kube-apiserver"),
        controller_manager=_built_program("kube-controller-manager"),
        kubectl=_program("kubectl", "Debian's package kubernetes-client has it"),
    )


def find_for_node(name: str) -> Path:
    """One of the programs of a node. Those who set KUBEBUILDER_ASSETS rarely have them there: then the cache's."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and (Path(assets) / name).exists():
        return (Path(assets) / name).absolute()
    if (built() / name).exists():
        return built() / name
    raise ProgramMissing(f"there is no {name} yet: `make test` builds it, as does `python3 -m devcluster up --node`")


def version_of(program: Path) -> tuple[int, int]:
    """Major and minor version of a Kubernetes program, as it tells with --version."""
    argv = [str(program), "--version"]
    answer = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    if answer.returncode:
        raise CommandFailed(argv, answer.returncode, answer.stderr)
    try:
        major, minor = answer.stdout.split()[-1].lstrip("v").split(".")[:2]
        return int(major), int(minor)
    except (IndexError, ValueError) as error:
        raise DevClusterError(f"{program} does not tell its version: {answer.stdout!r}") from error


def _is_available(name: str) -> bool:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    # Who names a folder for the control plane means it: nothing is built in its place, and `find` says what it lacks.
    if assets and (name in CONTROL_PLANE or (Path(assets) / name).exists()):
        return True
    return (built() / name).exists()


def _built_program(name: str) -> Path:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    program = (Path(assets) if assets else built()) / name
    if program.exists():
        return program.absolute()
    if assets:
        raise ProgramMissing(f"KUBEBUILDER_ASSETS is {assets}, and there is no {name} in it; unset it to build one")
    raise ProgramMissing(f"there is no {name} yet: `make demo` and `make test` build it, as does `make setup`")


def _program(name: str, source: str) -> Path:
    """A program from KUBEBUILDER_ASSETS, else from the machine."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and (Path(assets) / name).exists():
        return (Path(assets) / name).absolute()
    if found := shutil.which(name):
        return Path(found)
    raise ProgramMissing(f"there is no {name} here; {source}")
