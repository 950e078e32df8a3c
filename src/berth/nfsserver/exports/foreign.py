"""Lines of an exports file that are in another system's language, and what they are in Linux's.

FreeBSD, NetBSD, OpenBSD, macOS: exports(5) of each. SunOS, Solaris, illumos: share_nfs(8), exports(5) of SunOS 4, whose
form AIX, HP-UX, IRIX and ONTAP 7 took over. NFS-Ganesha: ganesha-export-config(8). fstab(5).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from berth.nfsserver.exports.flags import FLAVOURS
from berth.nfsserver.exports.lexer import decode, quote

System = Literal["bsd", "sun", "ganesha", "fstab"]

_BSD = frozenset(
    [
        "maproot",
        "mapall",
        "alldirs",
        "network",
        "mask",
        "webnfs",
        "public",
        "index",
        "quiet",
        "kerb",
        "noresvport",
        "noresvmnt",
        "32bitclients",
        "manglednames",
        "offline",
        "fspath",
        "fsuuid",
        "tls",
        "tlscert",
        "tlscertuser",
    ]
)
"""Options of BSD's exports(5) that no other system has behind a dash."""
_SUN = frozenset(["access", "anon", "root", "rw", "ro", "vers", "nosuid", "aclok", "window", "log"])
"""Options of Sun's form; Linux knows some of the words, but none of them with a value."""
_FSTAB = frozenset(
    [
        "nfs",
        "nfs4",
        "ext2",
        "ext3",
        "ext4",
        "xfs",
        "btrfs",
        "zfs",
        "tmpfs",
        "bind",
        "none",
        "auto",
        "vfat",
        "swap",
        "cifs",
    ]
)
_ROOT = ("root", "0", "wheel")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NOBODY = ("nobody", "-2", "65534", "nfsnobody")


@dataclass(frozen=True, slots=True)
class Foreign:
    """A line of another system. linux: its lines in the form of Linux, empty where it belongs into no exports file."""

    system: System
    linux: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    """Options that have no counterpart, and need none."""
    users: tuple[str, ...] = ()
    """Users by their names, where Linux wants numbers."""


@dataclass
class _ForeignLine:
    """What a line says, collected."""

    paths: list[str] = field(default_factory=list)
    clients: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    access: str = "rw"

    def lines(self, own: dict[str, list[str]] | None = None) -> tuple[str, ...]:
        """In Linux's form. own: the options of each client, where they differ."""
        common = ["sync", "no_subtree_check", *self.options]
        listed = own or {client: [self.access] for client in self.clients or ["*"]}
        clients = " ".join(f"{client}({','.join(dict.fromkeys([*said, *common]))})" for client, said in listed.items())
        return tuple(f"{decode(quote(path))} {clients}" for path in self.paths)

    def secure(self, flavours: str) -> None:
        """Takes `sec=`, without the flavours that Linux does not have."""
        known = [each for each in flavours.split(":") if each in FLAVOURS]
        if known:
            self.options.append(f"sec={':'.join(known)}")


def recognise(words: Sequence[str]) -> Foreign | None:
    """What the words of a line are, if they are another system's; None for Linux's own, and for what nobody knows."""
    if not words:
        return None
    if words[0] == "V4:":
        return Foreign("bsd")
    if len(words) >= 4 and words[2] in _FSTAB and (words[1].startswith("/") or words[1] in ("none", "swap")):
        return Foreign("fstab")
    if words[0] == "share":
        return _sun(_of_share(words[1:]))
    dashed = [name for word in words if word.startswith("-") for name in _names(word[1:])]
    if not words[0].startswith("/") or not dashed:
        return None
    if any(name.partition("=")[0] in _BSD for name in dashed):
        return _bsd(words)
    if any(name.partition("=")[0] in _SUN and "=" in name for name in dashed):
        return _sun(words)
    return None


def _names(listed: str) -> list[str]:
    return [each for each in listed.split(",") if each]


def _bsd(words: Sequence[str]) -> Foreign:
    line, network, mask = _ForeignLine(), "", ""
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            (line.paths if word.startswith("/") and not line.clients else line.clients).append(word)
            continue
        for option in _names(word[1:]):
            name, equals, value = option.partition("=")
            if name in ("network", "mask", "maproot", "mapall", "index", "sec") and not equals:
                value = next(rest, "")
            if name == "network":
                network = value
            elif name == "mask":
                mask = value
            elif name in ("maproot", "mapall"):
                line.options += _mapped(line, name, value)
            elif name in ("ro", "o"):
                line.access = "ro"
            elif name == "sec":
                line.secure(value)
            elif _USER.fullmatch(name):
                line.dropped.append(name)
    if network:
        line.clients.append(_network(network, mask))
    return Foreign("bsd", line.lines(), tuple(line.dropped), tuple(line.users))


def _mapped(line: _ForeignLine, name: str, credential: str) -> list[str]:
    """maproot and mapall: whom root, or everybody, becomes. The line learns users that have no number."""
    user, _, groups = credential.strip('"').partition(":")
    if name == "maproot" and user in _ROOT:
        return ["no_root_squash"]
    made = ["root_squash" if name == "maproot" else "all_squash"]
    if user in _NOBODY:
        return made
    if user in _ROOT:
        user = "0"
    if user.isdigit():
        made.append(f"anonuid={user}")
        group = groups.partition(":")[0]
        made.append(f"anongid={group if group.isdigit() else user}")
    elif _USER.fullmatch(user):
        line.users.append(user)
    return made


def _network(text: str, mask: str) -> str:
    """`192.0.2` with `255.255.255.0`, `192.0.2/24` or `192.0.2.0` as a network of Linux."""
    base, _, bits = text.partition("/")
    if ":" in mask:
        mask = _prefix_of(mask)
    if ":" not in base:
        octets = [part for part in base.split(".") if part]
        bits = bits or mask or str(8 * max(1, len([part for part in octets if part != "0"]) if not mask else 4))
        base = ".".join([*octets, "0", "0", "0"][:4])
    try:
        return str(ipaddress.ip_network(f"{base}/{bits or mask or 64}", strict=False))
    except ValueError:
        return text


def _prefix_of(mask: str) -> str:
    try:
        return str(int(ipaddress.IPv6Address(mask)).bit_count())
    except ValueError:
        return ""


def _of_share(words: Sequence[str]) -> list[str]:
    """The words of `share -F nfs -o OPTIONS -d TEXT PATH` in the order of an exports file."""
    options = [f"-{value}" for flag, value in pairwise(words) if flag == "-o"]
    return [*[word for word in words if word.startswith("/")][-1:], *options]


def _sun(words: Sequence[str]) -> Foreign:
    line = _ForeignLine(paths=list(words[:1]))
    lists: dict[str, list[str]] = {"rw": [], "ro": [], "access": [], "root": []}
    bare = ""
    for word in words[1:]:
        if not word.startswith("-"):
            lists["access"].append(_client(word))
            continue
        for option in _names(word[1:]):
            name, equals, value = option.partition("=")
            if name in lists and equals:
                lists[name] += [_client(each) for each in re.split(r":(?![^\[]*\])", value) if each]
            elif name in ("rw", "ro"):
                bare = name
            elif name == "anon":
                line.options += {"0": ["no_root_squash"], "-1": []}.get(value, [f"anonuid={value}", f"anongid={value}"])
            elif name == "sec":
                line.secure(value)
            else:
                line.dropped.append(name)
    return Foreign("sun", line.lines(_access(lists, bare)), tuple(line.dropped))


def _access(lists: Mapping[str, list[str]], bare: str) -> dict[str, list[str]]:
    """What each client may, from Sun's lists: who is in rw= writes, who is in ro= or only in access= beside it reads,
    and a bare rw or ro is for all others.
    """
    may = dict.fromkeys(lists["access"], "ro" if bare == "ro" or lists["rw"] else "rw")
    may |= dict.fromkeys(lists["ro"], "ro") | dict.fromkeys(lists["rw"], "rw")
    others = (bare or "rw") if not may or (bare and not lists["access"]) else ""
    may = {**dict.fromkeys(lists["root"], others or "rw"), **may, **({"*": others} if others else {})}
    return {client: [access, *(["no_root_squash"] * (client in lists["root"]))] for client, access in may.items()}


def _client(entity: str) -> str:
    """A host, `.domain`, `@network` of Sun's access lists, as Linux has them."""
    if entity.startswith("."):
        return f"*{entity}"
    if entity.startswith("@") and (entity[1:2].isdigit() or entity[1:2] == "["):
        return _network(entity[1:].strip("[]"), "")
    return entity


@dataclass(frozen=True, slots=True)
class GaneshaBlock:
    """An `EXPORT { … }` in a file of exports. lines: from the first to the last, from 1."""

    lines: range
    linux: tuple[str, ...]


def ganesha_blocks(text: str) -> Iterator[GaneshaBlock]:
    """All of them in a file."""
    for found in re.finditer(r"^[ \t]*EXPORT\s*\{", text, re.MULTILINE | re.IGNORECASE):
        depth, end = 1, found.end()
        while end < len(text) and depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        said = {
            name.lower(): value.strip(" \"'")
            for name, value in re.findall(r"(\w+)\s*=\s*([^;]+);", text[found.end() : end])
        }
        access = "rw" if said.get("access_type", "none").lower() in ("rw", "mdonly") else "ro"
        squash = {
            "no_root_squash": "no_root_squash",
            "none": "no_root_squash",
            "all_squash": "all_squash",
            "all": "all_squash",
        }
        clients = re.split(r"[,\s]+", said.get("clients", "*"))
        line = _ForeignLine(paths=[said["path"]] if "path" in said else [], clients=clients, access=access)
        line.options += [name for name in [squash.get(said.get("squash", "").lower(), "")] if name]
        first = text.count("\n", 0, found.start()) + 1
        yield GaneshaBlock(range(first, text.count("\n", 0, end) + 2), line.lines())
