"""Brings the command to a host that does not have it: through the shell's `cat`, whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable

from berth.findings.finding import Subject
from berth.operations.remote.command_file import CommandFile
from berth.operations.remote.connection import SSH_FAILED, SshConnection
from berth.operations.remote.findings import Unreached, find
from berth.operations.remote.there import There, find_file

Moved = Callable[[int], None]
"""Is told how many of a hundred parts have gone over."""

_CHUNK = 1 << 18
_WRITE = (
    "LC_ALL=C; export LC_ALL; umask 077; "
    'mkdir -p "$1" && [ ! -h "$1" ] && [ -O "$1" ] || exit; '
    'new=$1/.$2.$$; trap \'rm -f "$new"; rmdir "$1" 2>/dev/null\' EXIT; trap "exit 1" HUP INT TERM; '
    'cat >"$new" && [ "$(wc -c <"$new")" -eq "$3" ] && chmod 700 "$new" && mv -f "$new" "$1/$2"'
)
FULL = re.compile(r"No space left on device|Disk quota exceeded", re.IGNORECASE)


async def bring(connection: SshConnection, there: There, file: CommandFile, moved: Moved) -> str:
    """Where the command lies on the host afterwards. Unreached where there is no place for it."""
    host = Subject("host", str(connection.target))
    digest, size = file.digest(), file.size
    name = f"berth-{file.version}-{digest[:16]}"
    if found := await find_file(connection, there, name, size, digest):
        return found
    said = ""
    for folder in there.folders:
        said = await _write(connection, file, size, [folder, name], moved)
        if not said:
            return f"{folder}/{name}"
    if FULL.search(said) or (there.full and not there.folders):
        raise Unreached(find("disk-full-there", host, folders=[*there.folders, *there.full], said=said or "-"))
    if there.noexec and not there.folders:
        raise Unreached(find("noexec-there", host, folders=list(there.noexec)))
    raise Unreached(find("no-place-there", host, said=said or "-"))


async def _write(connection: SshConnection, file: CommandFile, size: int, place: list[str], moved: Moved) -> str:
    """What the host said against it; empty where the file lies there now."""
    async with connection.run(["sh", "-c", _WRITE, "sh", *place, str(size)]) as writing:
        with file.path.open("rb") as content:
            gone = 0
            while (chunk := content.read(_CHUNK)) and await writing.say(chunk):
                gone += len(chunk)
                moved(100 * gone // size)
        writing.no_more()
        code = await writing.end()
        if code == SSH_FAILED:
            raise connection.lost(writing.complaints)
        return "" if code == 0 else " ".join(writing.complaints.split()) or f"exit code {code}"
