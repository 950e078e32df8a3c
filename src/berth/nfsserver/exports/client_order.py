"""The clients of one path in Berth's own file: composing their options, and bringing them into the order that counts.

Of two networks that match a host, the first on the line counts (exports(5)); so narrower networks come before wider
ones, whatever was added first: a provisioner's 10.1.0.0/16 keeps its rights when the nodes' 10.0.0.0/8 comes along.
Clients that are in the file besides are kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from berth.nfsserver.exports.clients import classify
from berth.nfsserver.exports.edit import with_export, without
from berth.nfsserver.exports.flags import SWITCHES
from berth.nfsserver.exports.options import parse
from berth.nfsserver.exports.parse import ExportsFile

ClientList = Sequence[tuple[str, tuple[str, ...]]]


def compose(defaults: Sequence[str], given: Sequence[str]) -> tuple[str, ...]:
    """The defaults that no given option decides, and then what is given. BadOption if exportfs refuses."""
    decided = {_topic(option) for option in given}
    options = (*(option for option in defaults if _topic(option) not in decided), *dict.fromkeys(given))
    parse(options)
    return options


def is_lined_up(file: ExportsFile | None, path: str, wanted: ClientList) -> bool:
    """Does the file list the wanted clients with these options, and all clients of path in the order that counts."""
    found = clients_in_order(file, path)
    known = {client.lower(): options for client, options in found}
    if found != sorted(found, key=_breadth):
        return False
    return all(
        client.lower() in known and parse(known[client.lower()]).canonical() == parse(options).canonical()
        for client, options in wanted
    )


def line_up(file: ExportsFile, path: str, wanted: ClientList) -> ExportsFile:
    """The file so that is_lined_up; the same file when it is so already."""
    if is_lined_up(file, path, wanted):
        return file
    names = {client.lower() for client, _ in wanted}
    others = [(client, options) for client, options in clients_in_order(file, path) if client.lower() not in names]
    file = without(file, path)
    for client, options in sorted((*wanted, *others), key=_breadth):
        file = with_export(file, path, client, options)
    return file


def clients_in_order(file: ExportsFile | None, path: str) -> list[tuple[str, tuple[str, ...]]]:
    """The clients of path in the file, with all options that they get, in the order that counts."""
    entries = [entry for entry in file.entries if entry.export.path == path] if file else []
    return [(entry.export.client, (*entry.defaults, *(entry.own or ()))) for entry in entries]


def _breadth(listed: tuple[str, tuple[str, ...]]) -> int:
    """How much of the world a client covers: single hosts first, then networks from narrow to wide, then the rest."""
    network = classify(listed[0]).network
    if network is None:
        return 0 if classify(listed[0]).kind == "host" else 256
    return network.max_prefixlen - network.prefixlen


def _topic(option: str) -> object:
    return SWITCHES[option][0] if option in SWITCHES else option.partition("=")[0]
