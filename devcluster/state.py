"""The cluster that `up` left running: a small file in the checkout that says what runs where, so that `down` finds it.

A process is named by pid and start time: `down` never ends a stranger that got the number later.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from devcluster.errors import AlreadyRunning, DevClusterError
from devcluster.identity import Identity

DIRECTORY = Path(__file__).resolve().parent.parent / ".devcluster"
"""Where the file is, unless somebody says otherwise: one cluster for each checkout."""

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """One process of a cluster that was left running."""

    name: str
    pid: int
    started: int
    log: str

    @property
    def identity(self) -> Identity:
        return Identity(self.pid, self.started)

    @property
    def is_alive(self) -> bool:
        return self.identity.is_alive


@dataclass(frozen=True, slots=True)
class RunningShare:
    """One export of the cluster's NFS server."""

    server: str
    export: str
    port: int
    mountport: int
    mount_options: list[str]
    directory: str
    """What is behind it, on this machine."""


@dataclass(frozen=True, slots=True)
class RunningNode:
    """The cluster's node."""

    name: str
    address: str
    share: RunningShare
    """What its pods reach; the cluster's other shares are out of their reach."""


@dataclass(frozen=True, slots=True)
class State:
    """A cluster that was left running."""

    directory: str
    kubeconfig: str
    server_url: str
    shares: list[RunningShare]
    processes: list[RunningProcess]
    """In the order of their start."""
    node: RunningNode | None = None

    @property
    def is_whole(self) -> bool:
        """True when every process lives."""
        return all(process.is_alive for process in self.processes)

    @property
    def is_gone(self) -> bool:
        """True when no process lives: the machine was restarted, or somebody ended them all."""
        return not any(process.is_alive for process in self.processes)


def save(directory: Path, state: State) -> None:
    """Records a cluster: readers see the old text or the new one, whole. A link to its kubeconfig lies beside it."""
    directory.mkdir(parents=True, exist_ok=True)
    draft = directory / "state.json.new"
    draft.write_text(json.dumps({"format": _FORMAT, **asdict(state)}, indent=2) + "\n")
    link = directory / "kubeconfig"
    link.unlink(missing_ok=True)
    link.symlink_to(state.kubeconfig)
    os.replace(draft, directory / "state.json")


def load(directory: Path) -> State | None:
    """The cluster that is recorded in directory, None when none is."""
    path = directory / "state.json"
    try:
        raw: dict[str, Any] = json.loads(path.read_text())
        if raw.pop("format") != _FORMAT:
            raise ValueError("another format")
        shares = [RunningShare(**share) for share in raw.pop("shares")]
        processes = [RunningProcess(**process) for process in raw.pop("processes")]
        node = raw.pop("node", None)
        if node is not None:
            node = RunningNode(**{**node, "share": RunningShare(**node["share"])})
        return State(shares=shares, processes=processes, node=node, **raw)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise DevClusterError(
            f"{path} can't be understood ({error}); end its processes by hand (`ps ax | grep berth-devcluster`) "
            "and remove the file"
        ) from error


def end(directory: Path, state: State, *, grace: float = 10.0) -> None:
    """Ends every process of the cluster, the last started first, and removes its directory and its record."""
    for process in reversed(state.processes):
        process.identity.end(grace)
    # The file could have been tampered with, and this removes a whole tree: only what a dev cluster has made.
    if Path(state.directory).name.startswith("berth-devcluster-"):
        shutil.rmtree(state.directory, ignore_errors=True)
    forget(directory)


def forget(directory: Path) -> None:
    """Removes the record, and its folder when nothing else is in it."""
    for name in ("state.json", "state.json.new", "kubeconfig"):
        (directory / name).unlink(missing_ok=True)
    if directory.exists() and not any(directory.iterdir()):
        directory.rmdir()


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Lets one command at a time change what runs; DevClusterError when another one is at it."""
    directory.mkdir(parents=True, exist_ok=True)
    held = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise DevClusterError("another command is starting or stopping the dev cluster right now") from error
    finally:
        os.close(held)
        with suppress(OSError):
            directory.rmdir()  # unless a cluster is recorded in it now


def refuse_second(directory: Path) -> None:
    """AlreadyRunning when a cluster is up; one of which nothing lives any more (a reboot) is cleared away."""
    known = load(directory)
    if known is None:
        return
    if known.is_gone:
        end(directory, known)
        return
    if known.is_whole:
        raise AlreadyRunning(
            f"the dev cluster is up already: KUBECONFIG={directory}/kubeconfig; "
            "`python3 -m devcluster status` says more"
        )
    ended = ", ".join(process.name for process in known.processes if not process.is_alive)
    raise AlreadyRunning(f"a dev cluster is up already, but {ended} ended; `python3 -m devcluster down` stops the rest")
