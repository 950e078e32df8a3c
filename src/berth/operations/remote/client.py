"""How OpenSSH's client is called: what the person has said first, since ssh takes the first of two values; Berth's own
wishes behind it; and where the one connection's socket lies.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from berth.operations.remote.target import Target

PROGRAM = "ssh"
GREETING = "berth-is-through"
"""What the host says once ssh is let in: then the connection's socket listens, and programs can be run."""

_SOCKET = "s"
_LONGEST = 80
"""Bytes of the socket's path: a socket's address has 104 on some systems, and ssh makes the socket under a name that is
17 longer first."""
_SPECIAL = set("%~\"'\\ \t$")
"""What ssh reads as more than a letter of the path."""


@dataclass(frozen=True, slots=True)
class SshOptions:
    """What was said about the way to the hosts, as ssh's own options -p, -J, -i, -F and -o have it."""

    port: int | None = None
    jump: str = ""
    identities: tuple[str, ...] = ()
    config: str = ""
    more: tuple[str, ...] = ()

    def words(self) -> tuple[str, ...]:
        """The options on ssh's command line."""
        return tuple(self._words())

    def _words(self) -> Iterator[str]:
        if self.config:
            yield from ("-F", self.config)
        for each in self.more:
            yield from ("-o", each)
        if self.port:
            yield from ("-p", str(self.port))
        if self.jump:
            yield from ("-J", self.jump)
        for each in self.identities:
            yield from ("-i", each)


def connect_argv(target: Target, options: SshOptions, folder: Path, *, may_ask: bool) -> list[str]:
    """ssh that connects, and keeps the connection for others until its input ends: then it can't outlive Berth."""
    settings = {
        # Older clients don't know what is ignored here.
        "IgnoreUnknown": "RemoteCommand,ForkAfterAuthentication,StdinNull",
        "RemoteCommand": "none",
        "ForkAfterAuthentication": "no",
        "StdinNull": "no",
        "ControlMaster": "yes",
        "ControlPath": folder / _SOCKET,
        "ControlPersist": "no",
        "BatchMode": "no" if may_ask else "yes",
        "RequestTTY": "no",
        "ClearAllForwardings": "yes",
        "PermitLocalCommand": "no",
    }
    wishes = {
        "ConnectTimeout": 20,
        "ServerAliveInterval": 15,
        "ServerAliveCountMax": 4,
        "NumberOfPasswordPrompts": 3,
        "LogLevel": "ERROR",
    }
    first, last = _settings(settings), _settings(wishes)
    return [PROGRAM, *first, *options.words(), *last, "-T", "--", target.word, f"echo {GREETING}; exec cat"]


def run_argv(target: Target, folder: Path, line: str) -> list[str]:
    """ssh that runs a line over that connection. Where there is none any more it fails, and does not connect anew."""
    settings = {"ControlPath": folder / _SOCKET, "ControlMaster": "no", "ProxyCommand": "false", "LogLevel": "ERROR"}
    return [PROGRAM, "-F", os.devnull, *_settings(settings), "-T", "--", target.word, line]


def folder_for_socket(environ: Mapping[str, str] | None = None) -> tempfile.TemporaryDirectory[str]:
    """A new folder that is this user's alone, with a path that is short and plain enough for the socket in it."""
    known = os.environ if environ is None else environ
    for parent in (known.get("XDG_RUNTIME_DIR"), known.get("TMPDIR"), "/tmp", "/var/tmp", "/dev/shm"):
        if not parent or not os.path.isabs(parent) or _SPECIAL & set(parent):
            continue
        if len(os.fsencode(parent)) + len("/berth-12345678/") + len(_SOCKET) > _LONGEST:
            continue
        if os.access(parent, os.W_OK | os.X_OK):
            return tempfile.TemporaryDirectory(prefix="berth-", dir=parent, ignore_cleanup_errors=True)
    return tempfile.TemporaryDirectory(prefix="berth-", ignore_cleanup_errors=True)


def _settings(settings: Mapping[str, object]) -> list[str]:
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
