"""Which packages an NFS server takes, per distribution, and the commands that install them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from berth.aio import command
from berth.aio.command import PROGRAMS
from berth.texts.command import Shell, word

Family = Literal["apt", "dnf", "yum", "zypper", "apk"]

QUERY_DEADLINE = 30.0
INSTALL_DEADLINE = 1800.0
"""Seconds for one command of the package manager: it may download, on a slow line, and wait for its own lock."""

INSTALL_GRACE = 300.0
"""Seconds for it to finish after an interruption: killed half-way, it leaves packages that only a person can mend."""

PACKAGES: Mapping[Family, tuple[str, ...]] = {
    "apt": ("nfs-kernel-server", "nfs-common"),
    "dnf": ("nfs-utils",),
    "yum": ("nfs-utils",),
    "zypper": ("nfs-kernel-server", "nfs-client"),
    "apk": ("nfs-utils",),
}
"""What the server takes; client tools included, for trying it out on the host itself."""

_TOOLS: tuple[tuple[str, Family], ...] = (
    ("apt-get", "apt"),
    ("dnf", "dnf"),
    ("yum", "yum"),
    ("zypper", "zypper"),
    ("apk", "apk"),
)
_FAMILIES: Mapping[str, Family] = {
    **dict.fromkeys(("debian", "ubuntu", "deepin", "uos"), "apt"),
    **dict.fromkeys(("rhel", "fedora", "centos", "openeuler", "anolis", "kylin", "amzn"), "dnf"),
    **dict.fromkeys(("suse", "opensuse", "sles"), "zypper"),
    "alpine": "apk",
}


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a plan."""

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()

    @property
    def line(self) -> Shell:
        """As a person types it."""
        settings = [f"{name}={word(value)}" for name, value in self.env]
        return Shell(" ".join([*settings, *map(word, self.argv)]))


@dataclass(frozen=True, slots=True)
class Distribution:
    """What kind of Linux this is."""

    name: str
    """For people: `Debian GNU/Linux 12 (bookworm)`."""
    family: Family | None
    """How packages are installed; None where no known package manager is there."""


def detect(os_release: str, has_program: Callable[[str], bool]) -> Distribution:
    """The distribution that os_release (the text of /etc/os-release) describes, and whose package manager is there."""
    fields = parse_os_release(os_release)
    name = fields.get("PRETTY_NAME") or fields.get("NAME") or "Linux"
    present = [family for tool, family in _TOOLS if has_program(tool)]
    for kind in (fields.get("ID", ""), *fields.get("ID_LIKE", "").split()):
        family = _FAMILIES.get(kind.lower().split("-")[0])
        if family == "dnf" and "dnf" not in present and "yum" in present:
            family = "yum"
        if family in present:
            return Distribution(name, family)
    return Distribution(name, present[0] if present else None)


def parse_os_release(text: str) -> dict[str, str]:
    """The fields of an os-release file; lines that are none are left out."""
    fields = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            try:
                fields[name] = "".join(shlex.split(value))
            except ValueError:
                continue
    return fields


def install_commands(family: Family, packages: Sequence[str]) -> tuple[Command, ...]:
    """The commands that install packages without asking."""
    match family:
        case "apt":
            quiet = (("DEBIAN_FRONTEND", "noninteractive"),)
            wait = ("-o", "DPkg::Lock::Timeout=300")
            return (
                Command(("apt-get", *wait, "update"), quiet),
                Command(("apt-get", *wait, "install", "-y", "--no-install-recommends", *packages), quiet),
            )
        case "zypper":
            return (Command(("zypper", "--non-interactive", "install", "--no-recommends", *packages)),)
        case "apk":
            return (Command(("apk", "add", "--update-cache", *packages)),)
        case _:
            return (Command((family, "install", "-y", *packages)),)


async def missing_from(distribution: Distribution) -> tuple[str, ...]:
    """The packages of the server that are not installed; all of them where that can't be told."""
    if distribution.family is None:
        return ()
    wanted = PACKAGES[distribution.family]
    return tuple([package for package in wanted if not await _is_installed(distribution.family, package)])


async def _is_installed(family: Family, package: str) -> bool:
    query: tuple[str, ...]
    match family:
        case "apt":
            query = ("dpkg-query", "-W", "-f", "${db:Status-Status}", package)
        case "apk":
            query = ("apk", "info", "-e", package)
        case _:
            query = ("rpm", "-q", "--quiet", package)
    try:
        result = await command.run(query, deadline=QUERY_DEADLINE, env={"PATH": PROGRAMS})
    except command.CommandError:
        return False
    return family != "apt" or result.stdout == "installed"
