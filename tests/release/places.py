"""Systems to start the command in: of busybox alone, or of a release of Debian; nothing there outlives its run."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

BARE = (
    *("sh", "cat", "chmod", "chown", "env", "find", "grep", "gzip", "head", "id", "ls", "mkdir", "mount", "mv", "rm"),
    *("tail", "tar", "touch", "uname", "wc"),
)
"""What is in a system of busybox alone."""
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
WRITABLE = ("dev", "home", "root", "run", "srv", "tmp", "var")
"""What is in memory, and empty, in each run on a system that is everybody's."""

_NOTHING: Mapping[str, str] = {}


def bare(folder: Path) -> Path:
    """Makes a system of busybox in folder, with no library at all."""
    for name in ("bin", "dev", "proc", "tmp", "root"):
        (folder / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", folder / "bin/busybox")
    for name in BARE:
        (folder / "bin" / name).symlink_to("busybox")
    (folder / "tmp").chmod(0o1777)
    (folder / "root").chmod(0o700)
    return folder


def run(
    system: Path,
    line: str,
    *,
    command: Path | None = None,
    user: int = 0,
    kernel: Sequence[str] = (),
    given: Mapping[str, str] = _NOTHING,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Runs a line of shell in that system, with /proc and in namespaces of its own.

    command: put into the system as /tmp/berth for this run, in which everything of WRITABLE is in memory. kernel: what
    starts it all, and takes away what an older kernel had not. given, environment: the environment, besides PATH.
    """
    setup = [f"mount -t proc proc {system}/proc"]
    if command is None:
        setup += [f"mount -t tmpfs none {system}/dev"]
    else:
        setup += [f"mount -t tmpfs -o mode=755 none {system / name}" for name in WRITABLE]
        setup += [f"chmod 1777 {system}/tmp", f"touch {system}/tmp/berth", f"mount --bind {command} {system}/tmp/berth"]
    setup += [f"mknod -m 666 {system}/dev/null c 1 3", f"mknod -m 666 {system}/dev/urandom c 1 9"]
    chroot = [*kernel, "chroot", f"--userspec={user}:{user}", "--groups=", str(system)]
    chroot += ["/bin/env", "-i", *(f"{name}={text}" for name, text in {"PATH": PATH, **given, **environment}.items())]
    chroot += ["/bin/sh", "-c", line]
    return subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "sh", "-c", " && ".join([*setup, f"exec {shlex.join(chroot)}"])],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
