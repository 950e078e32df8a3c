"""What the checks of a node read: files of the host, never anything below an NFS mount."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from berth.doctor.run import CouldNotLookError
from berth.host.mountinfo import Mount, read_mountinfo
from berth.texts.text import Text


@dataclass(frozen=True, slots=True)
class Process:
    """A process as /proc/PID/stat tells it."""

    pid: int
    name: str
    state: str


@dataclass(frozen=True)
class Host:
    """A host whose files are below root: `/`, or where a pod has mounted its node's."""

    root: Path = Path("/")

    @property
    def is_own(self) -> bool:
        """The host that this process runs on."""
        return self.root == Path("/")

    def path(self, name: str) -> Path:
        """Where the host's file of that absolute name is from here."""
        return self.root / name.lstrip("/")

    @cached_property
    def nfs_mounts(self) -> tuple[Mount, ...]:
        """The NFS mounts that this process sees, or, below another root, those that the host's first process sees."""
        whose = "self" if self.is_own else "1"
        return tuple(mount for mount in read_mountinfo(self.path(f"/proc/{whose}/mountinfo")) if mount.is_nfs)

    def can_see(self, mount: Mount) -> bool:
        """Whether the mount is there for this process: below another root only if it is propagated to where that is."""
        if self.is_own:
            return True
        return str(self.path(mount.point)) in {each.point for each in read_mountinfo()}

    def find_program(self, name: str) -> bool:
        """Whether there is an executable of that name where kubelet and mount look for it."""
        return any(os.access(self.path(f"{folder}/{name}"), os.X_OK) for folder in ("/sbin", "/usr/sbin", "/bin"))

    def processes(self) -> tuple[Process, ...]:
        """All processes of the host. CouldNotLookError: this is a container that sees its own only.

        Nothing but stat is read: on a process that hangs, /proc/PID/cmdline may hang, too.
        """
        kernel_threads = self.path("/proc/2/stat")
        if not kernel_threads.exists() or "(kthreadd)" not in kernel_threads.read_text():
            raise CouldNotLookError(
                Text(
                    "only a container's own processes can be seen from here: run it on the node itself",
                    "这里只能看到容器自己的进程：请在节点上直接运行",
                )
            )
        found = []
        for entry in self.path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    stat = (entry / "stat").read_text("utf-8", "replace")
                except OSError:
                    continue  # it has ended meanwhile
                name, _, rest = stat.partition("(")[2].rpartition(")")
                found.append(Process(int(entry.name), name, rest.split()[0]))
        return tuple(found)

    def waits_in(self, process: Process) -> str:
        """The kernel function that the process waits in; empty where that is not told."""
        try:
            return self.path(f"/proc/{process.pid}/wchan").read_text().strip()
        except OSError:
            return ""
