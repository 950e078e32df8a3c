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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from berth.aio.command import CommandError
from berth.nfsserver import exportfs
from berth.nfsserver.errors import NotApplied, Refused
from berth.nfsserver.exports import Export, ExportsFile, parse_exports
from berth.nfsserver.flags import Flag
from berth.nfsserver.lock import check_rights, locked
from berth.nfsserver.places import Places, find_places, read_files, read_live, read_varying
from berth.nfsserver.spelling import Host, resolve, spell
from berth.nfsserver.table import brief

HEADER = b"# Written by Berth (berth server export). Lines that you add here are kept.\n"

Edit = Callable[[ExportsFile], ExportsFile]
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Change:
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


async def change_exports(edit: Edit, places: Places | None = None) -> Change:
    """Applies edit to Berth's own file and makes the result live; see the top of this module.

    Refused, NotAllowed, Busy: nothing was touched. NotApplied: all is as before, unless the error says otherwise.
    """
    places = places or find_places()
    if not exportfs.is_installed():
        raise Refused("exportfs", "is not installed on this host; `berth server init` installs it")
    check_rights(places)
    async with locked(places):
        return await _Changing(places, read_varying()).run(edit)


class _Changing:
    def __init__(self, places: Places, varying: Flag) -> None:
        self._places = places
        self._varying = varying
        self._live_before = read_live(places, varying)

    async def run(self, edit: Edit) -> Change:
        own = self._places.own
        content = own.read_bytes() if own.exists() else None
        before = parse_exports(HEADER if content is None else content, str(own), self._varying)
        after = edit(before)
        others = [e for f in read_files(self._places, self._varying) if f.source != str(own) for e in f.exports]
        clients = [e.client for e in (*others, *before.exports, *after.exports, *self._live_before)]
        hosts = await resolve(clients)
        wanted, old, kept = (spell(exports, hosts) for exports in (after.exports, before.exports, others))
        added = [e for e in wanted if not _has(old, e, self._varying) or not _has(self._live_before, e, self._varying)]
        removed = [e for e in old if _key(e) not in _keys(wanted)]
        if not added and not removed and after.content == before.content:
            return Change(own)
        self._check_hosts(hosts, before, after)
        _check_alone(added, kept)
        await self._rehearse(after, added)
        gone = [e for e in removed if _key(e) not in _keys(kept)]
        warnings = await self._apply(content, after, added, gone)
        return Change(own, tuple(added), tuple(removed), warnings)

    def _check_hosts(self, hosts: Mapping[str, Host], before: ExportsFile, after: ExportsFile) -> None:
        unknown = {name for name, host in hosts.items() if not host.addresses}
        for export in after.exports:
            if export.client in unknown and _key(export) not in _keys(before.exports):
                raise Refused(export.client, "the resolver knows no address for it, and exportfs would leave it out")
        for export in self._live_before:
            if export.client in unknown:
                why = f"{export} is live, but its name can't be resolved now, and any run of exportfs would end it"
                raise Refused(export.client, why)

    async def _rehearse(self, after: ExportsFile, added: Sequence[Export]) -> None:
        try:
            rehearsal = await exportfs.rehearse(after.content, self._places, self._varying)
        except CommandError as error:
            raise NotApplied(f"exportfs could not be tried out: {error}", stderr=error.stderr) from error
        if rehearsal is None:
            return
        for export in added:
            if said := rehearsal.said.about(export.path):
                raise NotApplied(f"exportfs would not export {export}: {said[0]}", stderr=rehearsal.said.stderr)
            if not _has(rehearsal.exports, export, self._varying):
                why = f"exportfs understands the export {export} otherwise than Berth"
                raise NotApplied(why, stderr=rehearsal.said.stderr)

    async def _apply(
        self, content: bytes | None, after: ExportsFile, added: Sequence[Export], gone: Sequence[Export]
    ) -> tuple[str, ...]:
        own = self._places.own
        is_done = False
        stderr = ""
        try:
            _write(own, after.content if after.statements or after.content != HEADER else None)
            for export in gone:
                if _key(export) in _keys(self._live_before):
                    stderr += (await exportfs.withdraw(export)).stderr
            said = await exportfs.publish()
            stderr += said.stderr
            why = self._verdict(said, added, gone)
            is_done = not why
        except (CommandError, OSError) as error:
            why = str(error)
            stderr += getattr(error, "stderr", "")
        finally:
            if not is_done:
                # A change that was cancelled is undone like one that failed, before the cancellation goes on.
                lost = await asyncio.shield(asyncio.create_task(self._restore(content), name="restore exports"))
        if not is_done:
            raise NotApplied(why, stderr=stderr, restored=not lost, lost=[str(export) for export in lost])
        changed = {export.path for export in added}
        return tuple(line for line in said.complaints if not any(line in said.about(path) for path in changed))

    def _verdict(self, said: exportfs.Said, added: Sequence[Export], gone: Sequence[Export]) -> str:
        live = read_live(self._places, self._varying)
        for export in added:
            if complaints := said.about(export.path):
                return f"exportfs does not export {export}: {complaints[0]}"
            if not _has(live, export, self._varying):
                return f"{export} did not become live"
        missing = _keys(self._live_before) - _keys(live) - _keys(gone)
        return f"{len(missing)} other exports would no longer be live" if missing else ""

    async def _restore(self, content: bytes | None) -> tuple[Export, ...]:
        """Brings back the old file and table; returns what was live before and could not be made live again."""
        _write(self._places.own, content)
        before = _keys(self._live_before)
        try:
            for export in read_live(self._places, self._varying):
                if _key(export) not in before:
                    await exportfs.withdraw(export)
            await exportfs.publish()
        except CommandError:
            pass  # what is live now tells how far it got
        live = read_live(self._places, self._varying)
        return tuple(export for export in self._live_before if not _has(live, export, self._varying))


def _told(export: Export) -> dict[str, str]:
    return {"path": export.path, "client": export.client, "options": brief(export.options)}


def _check_alone(added: Sequence[Export], others: Sequence[Export]) -> None:
    known = {_key(export): export for export in reversed(others)}
    for export in added:
        if other := known.get(_key(export)):
            why = f"{other.source} line {other.line} exports it to {export.client} already, and exportfs takes one only"
            raise Refused(export.path, why)


def _key(export: Export) -> Key:
    return export.path, export.client.lower()


def _keys(exports: Sequence[Export]) -> set[Key]:
    return {_key(export) for export in exports}


def _has(exports: Sequence[Export], wanted: Export, varying: Flag) -> bool:
    options = wanted.options.canonical(varying)
    return any(_key(e) == _key(wanted) and e.options.canonical(varying) == options for e in exports)


def _write(path: Path, content: bytes | None) -> None:
    """Puts content at path, whole or not at all, also across a crash; None removes the file."""
    if content is None:
        path.unlink(missing_ok=True)
    else:
        beside = path.with_name(f".{path.name}.new")
        with open(beside, "wb") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
