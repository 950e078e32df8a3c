"""What people do with exports by hand: add, remove, list. Adding and removing touch Berth's own file only."""

from __future__ import annotations

from berth.nfsserver.exports.change import Change, change_exports
from berth.nfsserver.exports.client_order import line_up
from berth.nfsserver.exports.edit import without
from berth.nfsserver.exports.errors import Refused
from berth.nfsserver.exports.export_files import Places, find_places, read_files, read_varying
from berth.nfsserver.exports.parse import ExportsFile
from berth.nfsserver.exports.table import Listed, compare
from berth.nfsserver.exports.texts import say
from berth.nfsserver.lint.lint_context import Case
from berth.nfsserver.lint.survey import survey
from berth.nfsserver.setup.wanted import Wanted, check_clients, check_path, listed


async def add_export(wanted: Wanted, places: Places | None = None) -> Change:
    """Exports a directory that is there as wanted, with the same defaults as init. Repeating it changes nothing.

    Other clients of the path stay. Refused, naming the argument; see change_exports for the rest.
    """
    places = places or find_places()
    files = read_files(places, read_varying())
    facts = await survey(files, None, (wanted.path,), (*wanted.clients, *wanted.provisioner))
    place = check_path(wanted.path, facts)
    check_clients(wanted, facts)
    if place.kind == "missing":
        if place.lookalikes:
            raise Refused(wanted.path, say("refused.missing.lookalike", lookalike=place.lookalikes[0]))
        raise Refused(wanted.path, say("refused.missing"))
    clients = listed(wanted, place, facts)
    return await change_exports(lambda file: line_up(file, wanted.path, clients), places)


async def remove_export(path: str, client: str | None = None, places: Places | None = None) -> Change:
    """Ends Berth's exports of path (to client, or to anybody). Refused when Berth's file has no such export."""

    def edit(file: ExportsFile) -> ExportsFile:
        changed = without(file, path, client)
        if changed is file:
            key = "refused.not-ours.client" if client else "refused.not-ours"
            raise Refused(path, say(key, source=file.source, client=client))
        return changed

    return await change_exports(edit, places)


async def list_exports(places: Places | None = None) -> tuple[Listed, ...]:
    """Every export of all files and of the live table once, and whether it is live. Needs no rights but to read."""
    places = places or find_places()
    files = read_files(places, read_varying())
    facts = await survey(files, places)
    return compare(Case(files, facts).spelled, facts.live or (), facts.varying)
