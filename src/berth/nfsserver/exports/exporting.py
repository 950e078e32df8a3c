"""What people do with exports by hand: add, remove, list. Adding and removing touch Berth's own file only."""

from __future__ import annotations

from berth.nfsserver.errors import RequestRefused
from berth.nfsserver.exports.change import ExportChange, change_exports
from berth.nfsserver.exports.client_order import line_up
from berth.nfsserver.exports.edit import without
from berth.nfsserver.exports.parse import ExportsFile
from berth.nfsserver.exports.survey import survey_host
from berth.nfsserver.exports.table import ExportRow, compare
from berth.nfsserver.exports.wanted import WantedExport, check_clients, check_path, listed
from berth.nfsserver.texts import say


async def add_export(wanted: WantedExport) -> ExportChange:
    """Exports a directory that is there as wanted, with the same defaults as init. Repeating it changes nothing.

    Other clients of the path stay. RequestRefused, naming the argument; see change_exports for the rest.
    """
    _, facts = await survey_host((wanted.path,), (*wanted.clients, *wanted.provisioner))
    place = check_path(wanted.path, facts)
    check_clients(wanted, facts)
    if place.kind == "missing":
        if place.lookalikes:
            raise RequestRefused(wanted.path, say("refused.missing.lookalike", lookalike=place.lookalikes[0]))
        raise RequestRefused(wanted.path, say("refused.missing"))
    clients = listed(wanted, place, facts)
    return await change_exports(lambda file: line_up(file, wanted.path, clients))


async def remove_export(path: str, client: str | None = None) -> ExportChange:
    """Ends Berth's exports of path (to client, or to anybody). RequestRefused when Berth's file has no such export."""

    def edit(file: ExportsFile) -> ExportsFile:
        changed = without(file, path, client)
        if changed is file:
            key = "refused.not-ours.client" if client else "refused.not-ours"
            raise RequestRefused(path, say(key, source=file.source, client=client))
        return changed

    return await change_exports(edit)


async def list_exports() -> tuple[ExportRow, ...]:
    """Every export of all files and of the live table once, and whether it is live. Needs no rights but to read."""
    files, facts = await survey_host()
    return compare(facts.spelled(files), facts.live or (), facts.varying)
