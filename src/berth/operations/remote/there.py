"""A host as it is found: what it is, who we are there, and where the command may lie. It takes but a shell."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from berth.operations.remote.connection import SshConnection

_MARK = "berth: "
"""Before what our scripts say: what a login says beside it is left alone."""
_LOOK = """\
say() { printf 'berth: %s=%s\\n' "$1" "$2"; }
say system "$(uname -s)"
say kernel "$(uname -m)"
say uid "$(id -u)"
say user "$(id -un)"
cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
for folder in "${cache:+$cache/berth}" /var/cache/berth "/var/tmp/berth-$(id -u)" "${TMPDIR:-/tmp}/berth-$(id -u)"; do
    [ -n "$folder" ] || continue
    (umask 077 && mkdir -p "$folder") 2>/dev/null
    { [ -d "$folder" ] && [ ! -h "$folder" ] && [ -O "$folder" ]; } || continue
    try=$folder/.try.$$
    if ! (printf '#!/bin/sh\\nexit 0\\n' >"$try") 2>/dev/null; then
        say full "$folder"
    elif ! chmod 700 "$try" || ! "$try" 2>/dev/null; then
        say noexec "$folder"
    else
        say folder "$folder"
    fi
    rm -f "$try"
    rmdir "$folder" 2>/dev/null
done
"""
_FIND = """\
for folder in {folders}; do
    file=$folder/{name}
    {{ [ -f "$file" ] && [ ! -h "$file" ] && [ -O "$file" ]; }} || continue
    [ "$(wc -c <"$file")" -eq {size} ] || continue
    if command -v sha256sum >/dev/null 2>&1; then
        case $(sha256sum <"$file") in {digest}*) ;; *) continue ;; esac
    fi
    printf 'berth: file=%s\\n' "$file"
    break
done
"""


@dataclass(frozen=True, slots=True)
class There:
    """What a host said. folders: where programs can be kept and run, the best one first; noexec, full: where not."""

    system: str
    kernel: str
    uid: int
    user: str
    folders: tuple[str, ...]
    noexec: tuple[str, ...]
    full: tuple[str, ...]


async def look(connection: SshConnection) -> There | None:
    """What the host is; None where its shell says something else. Nothing is left there."""
    said = list(_said((await connection.ask(_LOOK)).stdout))
    known = dict(said)
    if not {"system", "kernel", "uid"} <= known.keys() or not known["uid"].isdecimal():
        return None

    def every(key: str) -> tuple[str, ...]:
        return tuple(value for name, value in said if name == key and value.startswith("/"))

    user = known.get("user", "")
    folders = every("folder"), every("noexec"), every("full")
    return There(known["system"], known["kernel"], int(known["uid"]), user, *folders)


async def find_file(connection: SshConnection, there: There, name: str, size: int, digest: str) -> str:
    """Where a file of that name and content lies already; empty where it does not."""
    folders = " ".join(map(shlex.quote, there.folders))
    script = _FIND.format(folders=folders, name=name, size=size, digest=digest)
    return dict(_said((await connection.ask(script)).stdout)).get("file", "") if folders else ""


def _said(output: str) -> Iterator[tuple[str, str]]:
    for line in output.splitlines():
        _, mark, rest = line.partition(_MARK)
        name, equals, value = rest.partition("=")
        if mark and equals:
            yield name, value
