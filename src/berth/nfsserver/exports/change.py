"""The one way to change what Berth exports: /etc/exports.d/berth.exports and the live table, both or neither.

Under a lock: read the file, edit it, check it by reading it back and by a rehearsal of the real exportfs in a mount
namespace of its own (where possible), write it beside, rename it into place, withdraw what it no longer exports,
`exportfs -a`, look at the table. Whatever goes wrong from there on, cancellation included, brings back the old file and
the old table. `-a` and not `-ra`: an export that somebody made by hand, or whose line in another file was broken since,
stays live.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from berth.aio.command import CommandError
from berth.nfsserver.errors import NotApplied, RequestRefused, told
from berth.nfsserver.exports import exportfs
from berth.nfsserver.exports.export_files import ExportFiles, find_export_files, read_files, read_live, read_varying
from berth.nfsserver.exports.flags import Flag
from berth.nfsserver.exports.lock import check_rights, locked
from berth.nfsserver.exports.parse import Export, ExportsFile, parse_exports
from berth.nfsserver.exports.spelling import ResolvedHost, resolve, spell
from berth.nfsserver.exports.table import brief
from berth.nfsserver.texts import say
from berth.texts.phrases import bilingual
from berth.texts.text import Text

HEADER = b"# Written by Berth (berth server export). Lines that you add here are kept.\n"

Edit = Callable[[ExportsFile], ExportsFile]
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ExportChange:
    """What a change did. Nothing at all when it was so already."""

    path: Path
    added: tuple[Export, ...] = ()
    """Exports that are new, or have new options."""
    removed: tuple[Export, ...] = ()
    warnings: tuple[str, ...] = ()
    """What exportfs said about other exports than those that changed."""

    @property
    def is_change(self) -> bool:
        """Was anything changed."""
        return bool(self.added or self.removed)

    def as_dict(self) -> dict[str, object]:
        """For `-o json`."""
        return {
            "path": str(self.path),
            "changed": self.is_change,
            "added": [_told(export) for export in self.added],
            "removed": [_told(export) for export in self.removed],
            "warnings": list(self.warnings),
        }


async def change_exports(edit: Edit) -> ExportChange:
    """Applies edit to Berth's own file and makes the result live; see the top of this module.

    RequestRefused, NotAllowed, Busy: nothing was touched. NotApplied: all is as before, unless it says otherwise.
    """
    where = find_export_files()
    if not exportfs.is_installed():
        raise RequestRefused("exportfs", say("refused.not-installed"))
    check_rights(where)
    async with locked(where):
        return await _Changing(where, read_varying()).run(edit)


class _Changing:
    def __init__(self, where: ExportFiles, varying: Flag) -> None:
        self._where = where
        self._varying = varying
        self._live_before = read_live(where, varying)

    async def run(self, edit: Edit) -> ExportChange:
        own = self._where.own
        if own.is_symlink():
            raise RequestRefused(str(own), say("refused.own-link", target=own.readlink()))
        content = _content(own)
        before = parse_exports(HEADER if content is None else content, str(own), self._varying)
        after = edit(before)
        others = [e for f in read_files(self._where, self._varying) if f.source != str(own) for e in f.exports]
        clients = [e.client for e in (*others, *before.exports, *after.exports, *self._live_before)]
        hosts = await resolve(clients)
        wanted, old, kept = (spell(exports, hosts) for exports in (after.exports, before.exports, others))
        added = [e for e in wanted if not _has(old, e, self._varying) or not _has(self._live_before, e, self._varying)]
        removed = [e for e in old if _key(e) not in _keys(wanted)]
        if not added and not removed and after.content == before.content:
            return ExportChange(own)
        self._check_hosts(hosts, before, after)
        _check_alone(added, kept)
        await self._rehearse(after, added)
        gone = [e for e in removed if _key(e) not in _keys(kept)]
        warnings = await self._apply(content, after, added, gone)
        return ExportChange(own, tuple(added), tuple(removed), warnings)

    def _check_hosts(self, hosts: Mapping[str, ResolvedHost], before: ExportsFile, after: ExportsFile) -> None:
        unknown = {name for name, host in hosts.items() if not host.addresses}
        for export in after.exports:
            if export.client in unknown and _key(export) not in _keys(before.exports):
                raise RequestRefused(export.client, say("refused.no-address"))
        for export in self._live_before:
            if export.client in unknown:
                raise RequestRefused(export.client, say("refused.would-end", export=export))

    async def _rehearse(self, after: ExportsFile, added: Sequence[Export]) -> None:
        try:
            rehearsal = await exportfs.rehearse(after.content, self._where, self._varying)
        except CommandError as error:
            why = say("not-applied.untried", why=told(error))
            raise NotApplied(why, stderr=error.stderr, quoted=error.stderr) from error
        if rehearsal is None:
            return
        for export in added:
            if said := rehearsal.said.about(export.path):
                why = say("not-applied.would-not", export=export, said=said[0])
                raise NotApplied(why, stderr=rehearsal.said.stderr, quoted=said[0])
            if not _has(rehearsal.exports, export, self._varying):
                why = say("not-applied.otherwise", export=export)
                raise NotApplied(why, stderr=rehearsal.said.stderr)

    async def _apply(
        self, content: bytes | None, after: ExportsFile, added: Sequence[Export], gone: Sequence[Export]
    ) -> tuple[str, ...]:
        own = self._where.own
        is_done = False
        stderr = quoted = ""
        try:
            _write(own, after.content if after.statements or after.content != HEADER else None)
            for export in gone:
                if _key(export) in _keys(self._live_before):
                    stderr += (await exportfs.withdraw(export)).stderr
            said = await exportfs.publish()
            stderr += said.stderr
            why, quoted = self._verdict(said, added, gone)
            is_done = why is None
        except CommandError as error:
            why, quoted = told(error), error.stderr
            stderr += error.stderr
        except OSError as error:
            why = bilingual(str(error))
        finally:
            if not is_done:
                # A change that was cancelled is undone like one that failed, before the cancellation goes on.
                restoring = asyncio.create_task(self._restore(content), name="restore exports")
                restored, lost = await asyncio.shield(restoring)
        if why is not None:
            names = [str(export) for export in lost]
            raise NotApplied(why, stderr=stderr, quoted=quoted, restored=restored, lost=names)
        changed = {export.path for export in added}
        return tuple(line for line in said.complaints if not any(line in said.about(path) for path in changed))

    def _verdict(self, said: exportfs.Said, added: Sequence[Export], gone: Sequence[Export]) -> tuple[Text | None, str]:
        """What went wrong, None if nothing did; and what of exportfs's own words is in it."""
        live = read_live(self._where, self._varying)
        for export in added:
            if complaints := said.about(export.path):
                return say("not-applied.does-not", export=export, said=complaints[0]), complaints[0]
            if not _has(live, export, self._varying):
                return say("not-applied.not-live", export=export), ""
        missing = _keys(self._live_before) - _keys(live) - _keys(gone)
        return say("not-applied.others", count=len(missing)) if missing else None, ""

    async def _restore(self, content: bytes | None) -> tuple[bool, tuple[Export, ...]]:
        """Brings back the old file and table. Whether all is as before; and what was live and could not be so again."""
        is_old = True
        try:
            if _content(self._where.own) != content:
                _write(self._where.own, content)
        except OSError:
            is_old = False  # the disk is full, say
        before = _keys(self._live_before)
        try:
            for export in read_live(self._where, self._varying):
                if _key(export) not in before:
                    await exportfs.withdraw(export)
            await exportfs.publish()
        except CommandError:
            pass  # what is live now tells how far it got
        live = read_live(self._where, self._varying)
        lost = tuple(export for export in self._live_before if not _has(live, export, self._varying))
        return is_old and not lost, lost


def _told(export: Export) -> dict[str, str]:
    return {"path": export.path, "client": export.client, "options": brief(export.options)}


def _check_alone(added: Sequence[Export], others: Sequence[Export]) -> None:
    known = {_key(export): export for export in reversed(others)}
    for export in added:
        if other := known.get(_key(export)):
            why = say("refused.exported-already", source=other.source, line=other.line, client=export.client)
            raise RequestRefused(export.path, why)


def _key(export: Export) -> Key:
    return export.path, export.client.lower()


def _keys(exports: Sequence[Export]) -> set[Key]:
    return {_key(export) for export in exports}


def _has(exports: Sequence[Export], wanted: Export, varying: Flag) -> bool:
    options = wanted.options.canonical(varying)
    return any(_key(e) == _key(wanted) and e.options.canonical(varying) == options for e in exports)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _write(path: Path, content: bytes | None) -> None:
    """Puts content at path, whole or not at all, also across a crash; None removes the file. Its mode stays, but for
    others' right to write.
    """
    if content is None:
        path.unlink(missing_ok=True)
    else:
        beside = path.with_name(f".{path.name}.new")
        beside.unlink(missing_ok=True)  # of a process that was killed
        mode = stat.S_IMODE(path.stat().st_mode) & ~0o022 if path.exists() else 0o644
        try:
            with open(beside, "xb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
