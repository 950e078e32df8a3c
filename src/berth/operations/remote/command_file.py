"""The self-contained command that is brought to a host: which file it is, and for what it was made."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import berth
from berth import __version__
from berth.findings.finding import Subject
from berth.host.own_file import own_file
from berth.operations.remote.findings import Unreached, find

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""What `uname -m` says of the machines that there is a command for, and what the command's file is called for it."""

_HEAD = re.compile(rb"#!/bin/sh\n# Berth (?P<version>\S+) for Linux on (?P<kernel>\S+?)\. ")


@dataclass(frozen=True, slots=True)
class CommandFile:
    """A self-contained command. kernel: what `uname -m` says of the machines it is for."""

    path: Path
    version: str
    kernel: str

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.path.stat().st_size

    def digest(self) -> str:
        """SHA-256 of it, in hexadecimal digits."""
        with self.path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()


def read_head(path: Path) -> CommandFile | None:
    """What the file says of itself; None where it is no such command. OSError: it can't be read."""
    with path.open("rb") as content:
        found = _HEAD.match(content.read(400))
    return CommandFile(path, found["version"].decode(), found["kernel"].decode()) if found else None


def choose(kernel: str, named: Sequence[Path], host: Subject) -> CommandFile:
    """The command for such a machine: of those that were named, else what lies beside this program. Unreached, with
    what is missing, where there is none.
    """
    name = f"berth-{__version__}-linux-{ARCHITECTURES[kernel]}"
    wrong = None
    for path in named:
        try:
            head = read_head(path)
        except OSError as error:
            raise Unreached(find("command-unread", host, file=str(path), why=error.strerror or str(error))) from error
        if head is None:
            raise Unreached(find("no-command", host, file=str(path), name=name))
        if head.version != __version__:
            raise Unreached(find("other-version", host, file=str(path), there=head.version, here=__version__))
        if head.kernel == kernel:
            return head
        wrong = head
    if wrong is not None:
        raise Unreached(find("other-machine", host, file=str(wrong.path), kernel=wrong.kernel, there=kernel, name=name))
    for path in _beside(name):
        head = _head_of(path)
        if head is not None and (head.version, head.kernel) == (__version__, kernel):
            return head
    looked = [str(each.parent) for each in _beside(name) if each.name == name]
    raise Unreached(find("command-missing", host, name=name, places=looked))


def _head_of(path: Path) -> CommandFile | None:
    try:
        return read_head(path)
    except OSError:
        return None


def _beside(name: str) -> Iterator[Path]:
    own = own_file()
    if own is not None:
        yield own
    checkout = Path(berth.__file__).resolve().parents[2]
    folders = [own.parent if own is not None else Path(sys.argv[0]).absolute().parent, Path.cwd()]
    if (checkout / "pyproject.toml").exists():
        folders.append(checkout / "dist")
    yield from (folder / name for folder in dict.fromkeys(folders))
