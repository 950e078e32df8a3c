"""Being root on a host, where we were let in as somebody else: by sudo, without a password or with one that is told.

The password goes in by sudo's stdin (`sudo -S`), over the connection: it is in no command line there and in no file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from berth.findings.finding import Finding, Subject
from berth.operations.remote.connection import SshConnection
from berth.operations.remote.findings import Unreached, find
from berth.operations.remote.secrets import Secrets
from berth.operations.remote.there import There
from berth.texts.text import Text

_ABSENT = 9
_FREELY = f"command -v sudo >/dev/null 2>&1 || exit {_ABSENT}; exec sudo -n true"
_TOLD = "exec sudo -k -S -p '' true"
_TRIES = 3
_WRONG = re.compile(r"try again|incorrect password|no password was provided", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AsRoot:
    """words: what stands before a command there; first: what it reads before anything else."""

    words: tuple[str, ...] = ()
    first: bytes = b""


async def as_root(connection: SshConnection, there: There, secrets: Secrets | None) -> AsRoot:
    """How a command is started as root. Unreached where it can't be."""
    if there.uid == 0:
        return AsRoot()
    host = Subject("host", str(connection.target))
    freely = await connection.ask(_FREELY)
    if freely.code == 0:
        return AsRoot(("sudo", "-n"))
    if freely.code == _ABSENT:
        raise Unreached(find("sudo-missing", host, user=there.user))
    said = freely.stderr
    if secrets is None:
        raise Unreached(refused(host, there.user, said))
    question = Text(
        f"Password of {there.user} for sudo on {connection.target.host}:",
        f"{connection.target.host} 上 {there.user} 的 sudo 密码：",
    )
    for turn in range(_TRIES):
        password = (await secrets.password(question, is_first=turn == 0)).encode() + b"\n"
        tried = await connection.ask(_TOLD, stdin=password)
        if tried.code == 0:
            return AsRoot(("sudo", "-S", "-p", ""), password)
        said = tried.stderr
        if not _WRONG.search(said):
            break
    raise Unreached(find("sudo-refused", host, variant="told", user=there.user, said=_in_a_line(said)))


def refused(host: Subject, user: str, said: str) -> Finding:
    """sudo wants a password, and nobody may be asked for it."""
    return find("sudo-refused", host, variant="silent", user=user, said=_in_a_line(said))


def _in_a_line(said: str) -> str:
    return " ".join(said.split()) or "-"
