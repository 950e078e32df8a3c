"""Where the exports live on this host: the files that people write, Berth's own one, and the table that is live."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from berth.nfsserver.errors import UnreadableExports
from berth.nfsserver.exports.flags import VARYING, Flag
from berth.nfsserver.exports.parse import Export, ExportsFile, parse_exports
from berth.nfsserver.exports.table import parse_table
from berth.nfsserver.texts import say
from berth.texts.phrases import bilingual

OWN_NAME = "berth.exports"
_CONFIGURATION = (Path("/usr/etc/nfs.conf"), Path("/etc/nfs.conf"))
_FEATURES = Path("/proc/fs/nfsd/export_features")


@dataclass(frozen=True, slots=True)
class ExportFiles:
    """Files and directories of nfs-utils. Only the state directory can be moved (state-directory-path in nfs.conf)."""

    exports: Path = Path("/etc/exports")
    directory: Path = Path("/etc/exports.d")
    state: Path = Path("/var/lib/nfs")

    @property
    def own(self) -> Path:
        """The one file that Berth writes."""
        return self.directory / OWN_NAME

    @property
    def lock(self) -> Path:
        """What whoever changes the exports holds."""
        return self.state / "berth.lock"

    @property
    def table(self) -> Path:
        """The table of live exports, which rpc.mountd reads."""
        return self.state / "etab"


def find_export_files() -> ExportFiles:
    """Where they are on this host, as its nfs.conf says."""
    found = ""
    for path in _CONFIGURATION:
        for part in (path, *sorted(path.with_name("nfs.conf.d").glob("*.conf"))):
            found = _state_in(_read(part).decode("utf-8", "replace")) or found
    return ExportFiles(state=Path(found)) if found else ExportFiles()


def read_varying() -> Flag:
    """The flags that this host's nfsd lets differ per security flavour; the classic three when it does not run."""
    found = re.match(rb"0x([0-9a-fA-F]+) 0x([0-9a-fA-F]+)", _read(_FEATURES))
    return Flag(int(found[2], 16) & sum(Flag)) if found else VARYING


def read_files(where: ExportFiles, varying: Flag = VARYING, unknown: Container[str] = ()) -> tuple[ExportsFile, ...]:
    """All exports files, in the order in which exportfs reads them. RequestRefused: not readable."""
    found = [where.exports, *files_in(where.directory)]
    return tuple(read_exports(path, varying, unknown) for path in found if path.exists())


def read_exports(path: Path, varying: Flag = VARYING, unknown: Container[str] = ()) -> ExportsFile:
    """One exports file, understood. UnreadableExports when it can't be."""
    try:
        return parse_exports(path.read_bytes(), str(path), varying, unknown)
    except OSError as error:
        raise UnreadableExports(
            str(path), say("refused.unreadable", why=bilingual(error.strerror or str(error)))
        ) from error


def files_in(directory: Path) -> list[Path]:
    """The files below /etc/exports.d that exportfs reads, in its order: `*.exports`, digits as numbers."""
    if not directory.is_dir():
        return []
    found = [path for path in directory.iterdir() if _is_read(path.name) and path.is_file()]
    return sorted(found, key=lambda path: [_part(part) for part in re.split(r"(\d+)", path.name)])


def ignored_in(directory: Path) -> list[Path]:
    """The files below /etc/exports.d that exportfs does not read because of their names, hidden ones aside."""
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if not _is_read(path.name) and not path.name.startswith("."))


def read_live(where: ExportFiles, varying: Flag = VARYING) -> tuple[Export, ...]:
    """The live exports. None when there is no table yet."""
    return parse_table(_read(where.table), str(where.table), varying)


def _is_read(name: str) -> bool:
    return name.endswith(".exports") and name != ".exports" and not name.startswith(".")


def _part(part: str) -> tuple[int, int, str]:
    return (0, int(part), part) if part.isdigit() else (1, 0, part)


def _state_in(text: str) -> str:
    section = found = ""
    for line in text.splitlines():
        if header := re.match(r"\s*\[\s*([^\s\"\]]+)", line):
            section = header[1].lower()
        elif section in ("mountd", "exportd"):
            setting = re.match(r"\s*state-directory-path\s*=\s*(\S+)", line)
            found = setting[1].strip('"') if setting else found
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
