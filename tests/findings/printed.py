"""Every command that Berth prints: those of all catalogues, those between backticks in its texts, those that its code
makes of templates; each with values in the places of its facts.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

import berth
from berth.texts.command import SLOT, Shell, fill_command

ROOT = Path(berth.__file__).parent
PROGRAMS = frozenset({
    "apt-get", "awk", "berth", "cat", "cd", "chattr", "chmod", "chown", "cp", "cut", "date", "df", "dmesg", "dnf",
    "du", "echo", "exportfs", "false", "find", "findmnt", "firewall-cmd", "fuser", "getent", "getfacl", "grep", "head",
    "helm", "iostat", "ip", "journalctl", "klist", "kubectl", "ls", "lsattr", "man", "mkdir", "modprobe", "mount",
    "mv", "nfsidmap", "nft", "ping", "ps", "read", "realpath", "rm", "rpc.statd", "rpcinfo", "sed", "showmount",
    "sort", "ss", "stat", "sync", "systemctl", "tail", "timedatectl", "timeout", "ufw", "umount", "xargs",
    "xfs_quota", "zypper",
})  # fmt: skip
"""What a printed command may call, as it is called."""
_KEYWORDS = {"for", "do", "done", "while", "if", "then", "else", "fi", "in", "!", "{", "}", "("}
_BACKTICKED = re.compile(r"`([^`\n]+)`")
_LIST = Shell("kubectl get pods -A")
_FACTS: dict[str, object] = {
    **dict.fromkeys(("log", "grant", "watch", "retry", "install", "remove", "command"), _LIST),
    **dict.fromkeys(("claim", "workload", "lease", "accessor"), "default/data"),
    **dict.fromkeys(("share", "mounted"), "192.0.2.7:/srv/nfs/k8s"),
    **dict.fromkeys(("path", "export", "file", "directory", "parent", "real", "mountpoint", "to", "origin", "lookalike",
                     "source", "old", "hint"), "/etc"),
    **dict.fromkeys(("server", "address", "client", "network", "who", "host"), "192.0.2.7"),
    **dict.fromkeys(("port", "uid", "gid", "limit", "wanted", "first", "second", "kept"), "1000"),
    "size": "10Gi",
    "volume": "pvc-d4a9e9e5-4f32-4eaf-9400-2692a268a13d",
    "verb": "get",
    "resource": "pods",
    "ref": "deployment/berth",
    "old_ref": "deployment/old",
    "configuration_ref": "configmap/berth",
    "kind": "pvc",
    "lock_kind": "lease",
    "listed": ["pvc", "-n", "default"],
    "edit": "s|^a: .*|a: b|",
    "patch": '[{"op":"remove","path":"/spec/mountOptions"}]',
    "option": "rw",
    "options": "rw,sync",
    "where": Shell("-n default "),
    "namespaced": Shell("-n default "),
    "suggestion": "7",
}  # fmt: skip
"""Real values by the name of a fact; every other one is `data`."""


@dataclass(frozen=True)
class Printed:
    """A command as a person gets it, and where it is from."""

    where: str
    text: str


@cache
def printed() -> tuple[Printed, ...]:
    """All of them, each once."""
    found: dict[str, Printed] = {}
    for each in (*_of_data(), *_of_code()):
        found.setdefault(each.text, each)
    return tuple(found.values())


def simple_commands(text: str) -> Iterator[list[str]]:
    """The words of each simple command in it, without what is assigned or said to the shell itself."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split = True
    words: list[str] = []
    for token in (*lexer, ";"):
        if token and set(token) <= set("();|&"):
            while words and (words[0] in _KEYWORDS or re.match(r"[A-Za-z_]\w*=", words[0])):
                words = [] if words[0] == "for" else words[1:]
            if words:
                yield words
            words = []
        else:
            words.append(token)


def _of_data() -> Iterator[Printed]:
    for file in sorted(ROOT.rglob("*.yaml")):
        where = str(file.relative_to(ROOT))
        for text in _texts(yaml.load(file.read_text("utf-8"), yaml.CSafeLoader), is_command=False):
            yield from (Printed(where, each) for each in _filled(text))


def _texts(content: Any, *, is_command: bool) -> Iterator[str]:
    """Whole commands, and those between backticks in sentences."""
    match content:
        case str() if is_command:
            yield content
        case str():
            yield from (each for each in _BACKTICKED.findall(content) if _is_command(each))
        case dict():
            for key, value in content.items():
                if key not in ("patterns", "ambiguous", "settled_by"):
                    yield from _texts(value, is_command=key == "commands")
        case list():
            for value in content:
                yield from _texts(value, is_command=is_command)


def _of_code() -> Iterator[Printed]:
    for file in sorted(ROOT.rglob("*.py")):
        where = str(file.relative_to(ROOT))
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="command"), args=[ast.Constant(value=str(template)), *_]):
                    if _is_command(template):
                        yield from (Printed(where, each) for each in _filled(template))
                case ast.Call(func=ast.Name(id="Text"), args=args):
                    said = [each.value for each in args if isinstance(each, ast.Constant)]
                    for text in said:
                        for each in _BACKTICKED.findall(str(text)):
                            if _is_command(each):
                                yield from (Printed(where, one) for one in _filled(each))


def _is_command(text: str) -> bool:
    """Whether it can be typed: a program with something behind it. A pair of its name and a mere word is prose."""
    first, _, rest = text.strip().partition(" ")
    return first in PROGRAMS and bool(rest)


def _filled(template: str) -> Iterator[str]:
    facts = {name: _FACTS.get(name, "data") for name in SLOT.findall(template)}
    yield str(fill_command(template, facts))
