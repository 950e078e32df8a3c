"""How the server's daemons are started, now and at every boot; and whether the kernel has a server at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from berth.aio import command
from berth.aio.command import PROGRAMS
from berth.nfsserver.setup.packages import Command, Family

Init = Literal["systemd", "openrc", "sysv", "none"]

DEADLINE = 120.0
"""Seconds for starting or asking one service."""

_NFSD = Path("/proc/fs/nfsd")


@dataclass(frozen=True, slots=True)
class Kernel:
    """The kernel's NFS server."""

    is_available: bool
    """Can this kernel be an NFS server at all (nfsd built in, or a module that can be loaded)."""
    threads: int
    """How many threads serve now; 0: none does."""
    versions: tuple[str, ...]
    """The NFS versions that it serves now, such as 3, 4, 4.1, 4.2."""


def detect_init() -> Init:
    """Who starts services here. "none": nobody, as in most containers."""
    if Path("/run/systemd/system").is_dir():
        return "systemd"
    if Path("/run/openrc").is_dir() or Path("/sbin/openrc-run").exists():
        return "openrc"
    if Path("/etc/init.d").is_dir() and Path("/usr/sbin/service").exists():
        return "sysv"
    return "none"


def start_commands(init: Init, family: Family | None) -> tuple[Command, ...]:
    """The commands that start the server now and at every boot. Each may be repeated."""
    # The unit wants rpcbind.socket, and loads all exports before it starts.
    names = _names(init, family)
    match init:
        case "systemd":
            return (Command(("systemctl", "enable", "--now", *names)),)
        case "openrc":
            add = [Command(("rc-update", "add", name, "default")) for name in names]
            return (*add, *(Command(("rc-service", "--ifstopped", name, "start")) for name in names))
        case "sysv":
            enable = [Command(("update-rc.d", name, "defaults")) for name in names] if family == "apt" else []
            return (*enable, *(Command(("service", name, "start")) for name in names))
        case "none":
            return ()


async def is_enabled(init: Init, family: Family | None) -> bool:
    """Will the server start at the next boot."""
    names = _names(init, family)
    match init:
        case "systemd":
            return await _succeeds("systemctl", "is-enabled", "--quiet", *names)
        case "openrc":
            return _are_all(names, "runlevels/default/{}")
        case "sysv":
            return _are_all(names, "rc[2-5S].d/S??{}")
        case "none":
            return False


async def read_kernel() -> Kernel:
    """What the kernel's NFS server does now."""
    known = re.search(r"^nodev\s+nfsd$", _read(Path("/proc/filesystems")), re.MULTILINE) is not None
    available = known or await _succeeds("modprobe", "--dry-run", "--quiet", "nfsd")
    threads = _read(_NFSD / "threads").strip()
    versions = [word[1:] for word in _read(_NFSD / "versions").split() if word.startswith("+")]
    return Kernel(available, int(threads) if threads.isdigit() else 0, tuple(versions))


async def active_firewalls() -> tuple[str, ...]:
    """The firewalls that run on this host, as far as they are known: firewalld, ufw."""
    found = []
    if await _succeeds("firewall-cmd", "--quiet", "--state"):
        found.append("firewalld")
    if re.search(r"^ENABLED=yes", _read(Path("/etc/ufw/ufw.conf")), re.MULTILINE):
        found.append("ufw")
    return tuple(found)


def _names(init: Init, family: Family | None) -> tuple[str, ...]:
    match init:
        case "systemd":
            return ("nfs-server.service",)
        case "openrc":
            return ("nfs",)
        case _:
            # Debian's nfs-common is statd, without which the kernel gives no locks over NFSv3.
            return ("rpcbind", "nfs-common", "nfs-kernel-server") if family == "apt" else ("rpcbind", "nfs")


def _are_all(names: tuple[str, ...], pattern: str) -> bool:
    return all(any(Path("/etc").glob(pattern.format(name))) for name in names)


async def _succeeds(*argv: str) -> bool:
    try:
        await command.run(argv, deadline=DEADLINE, env={"PATH": PROGRAMS})
    except command.CommandError:
        return False
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
