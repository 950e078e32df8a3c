"""Typed verbs over the real exportfs. Errors of running it are aio.command's (CommandError), with its stderr kept."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from berth.aio import command
from berth.aio.command import PROGRAMS
from berth.nfsserver.exports.clients import classify
from berth.nfsserver.exports.export_files import ExportFiles, read_live
from berth.nfsserver.exports.flags import VARYING, Flag
from berth.nfsserver.exports.parse import Export

DEADLINE = 60.0
"""Seconds for one exportfs: it asks the resolver for every host name, one after the other."""


@dataclass(frozen=True, slots=True)
class Said:
    """What exportfs said. It ends with 1 for any complaint, also when it did all that could be done."""

    code: int
    stderr: str

    @property
    def complaints(self) -> tuple[str, ...]:
        """Its complaints one by one, without advice on style."""
        lines = [line.removeprefix("exportfs: ").strip() for line in self.stderr.splitlines()]
        return tuple(line for line in lines if line and not _ADVICE.search(line))

    def about(self, path: str) -> tuple[str, ...]:
        """The complaints that name path."""
        named = re.compile(rf"(?:^|[\s:\"]){re.escape(path)}(?:$|[\s:\"])")
        return tuple(line for line in self.complaints if named.search(line))


_ADVICE = re.compile(
    r"Neither 'subtree_check' or|Assuming default behaviour|NOTE: this default has changed|to avoid warning$"
)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What the real exportfs makes of a file by itself."""

    exports: tuple[Export, ...]
    said: Said


def is_installed() -> bool:
    """Is there an exportfs on this host."""
    return shutil.which("exportfs", path=PROGRAMS) is not None


async def reload() -> Said:
    """`exportfs -ra`: makes live what the files say, and nothing else. Exports made by hand (`exportfs -o`) go."""
    return await _exportfs("-ra")


async def publish() -> Said:
    """`exportfs -a`: makes live what the files say, and keeps whatever else is live."""
    return await _exportfs("-a")


async def withdraw(export: Export) -> Said:
    """`exportfs -u`: ends one live export, named as the table has it."""
    client = f"[{export.client}]" if ":" in export.client else export.client
    if ":" in export.client and classify(export.client).kind == "network":
        address, _, mask = export.client.partition("/")
        client = f"[{address}]/{mask}"
    return await _exportfs("-u", f"{client}:{export.path}")


async def rehearse(content: bytes, where: ExportFiles, varying: Flag = VARYING) -> Rehearsal | None:
    """What the real exportfs would export if content were its only file, without touching anything of this host.

    It runs in a mount namespace of its own, where the files and the table are others. None where that can't be had
    (it takes root, `unshare` and `mount`).
    """
    with tempfile.TemporaryDirectory(prefix="berth-exports-") as name:
        room = Path(name)
        _furnish(room, content)
        argv = ("unshare", "-m", "--propagation", "private", "/bin/sh", "-c", _SCRIPT, "sh", name, str(where.state))
        try:
            result = await command.run(argv, deadline=DEADLINE, accept=(0, 1), env={"PATH": PROGRAMS})
        except (command.CommandMissing, command.CommandFailed):
            return None
        if (room / "state" / "is-private").exists():
            exports = read_live(ExportFiles(state=room / "state"), varying)
            return Rehearsal(exports, Said(result.code, result.stderr))
        return None


_SCRIPT = """
mount --bind "$1/exports" /etc/exports || exit 97
if [ -d /etc/exports.d ]; then mount --bind "$1/exports.d" /etc/exports.d || exit 97; fi
mount --bind "$1/state" "$2" || exit 97
: > "$2/is-private"
exec exportfs -ra
"""


def _furnish(room: Path, content: bytes) -> None:
    (room / "exports").write_bytes(content)
    (room / "exports.d").mkdir()
    (room / "state").mkdir()
    (room / "state" / "etab").touch()


async def _exportfs(*arguments: str) -> Said:
    argv = ("exportfs", *arguments)
    result = await command.run(argv, deadline=DEADLINE, accept=(0, 1), env={"PATH": PROGRAMS})
    return Said(result.code, result.stderr)
