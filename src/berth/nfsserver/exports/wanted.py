"""What somebody wants to export, checked strictly: what can't be had is RequestRefused, naming the argument."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from berth.nfsserver.errors import RequestRefused
from berth.nfsserver.exports.client_order import ClientList, compose
from berth.nfsserver.exports.clients import BadClient, check, classify
from berth.nfsserver.exports.facts import SYSTEM, HostFacts, PathFacts, stable_fsid
from berth.nfsserver.exports.flags import Flag
from berth.nfsserver.exports.options import BadOption, Options, parse, split
from berth.nfsserver.texts import say

PROVISIONER_OPTIONS = ("rw", "sync", "no_subtree_check", "no_root_squash")
CLIENT_OPTIONS = ("rw", "sync", "no_subtree_check", "root_squash")


@dataclass(frozen=True, slots=True)
class WantedExport:
    """What to export: a directory, to whom, and how."""

    path: str
    clients: Sequence[str]
    """Networks, addresses or names of the nodes: root is squashed for them."""
    provisioner: Sequence[str] = ()
    """Addresses from which the provisioner comes: root is root for them."""
    options: Sequence[str] = ()
    """Options that everybody gets, one by one or as lists with commas; they replace the defaults they contradict."""


def check_path(path: str, facts: HostFacts) -> PathFacts:
    """What is at the path, if it can be exported."""
    if not path.startswith("/") or posixpath.normpath(path) != path or path.startswith("//"):
        raise RequestRefused(path, say("refused.not-absolute"))
    if path == "/" or any(path == each or (path.startswith(f"{each}/") and each != "/var") for each in SYSTEM):
        raise RequestRefused(path, say("refused.system"))
    if any(char.isspace() or char in "\"'#\\" or not char.isprintable() for char in path):
        raise RequestRefused(path, say("refused.characters"))
    place = facts.paths.get(path)
    if place is None:
        raise RequestRefused(path, say("refused.silent"))
    if place.kind == "other":
        raise RequestRefused(path, say("refused.not-a-directory"))
    if place.real != path:
        raise RequestRefused(path, say("refused.link", real=place.real))
    if not place.mount.is_exportable:
        raise RequestRefused(path, say("refused.not-exportable", kind=place.mount.kind))
    return place


def check_clients(wanted: WantedExport, facts: HostFacts) -> None:
    """Can all clients be meant as they are written, and does the resolver know them."""
    if not wanted.clients and not wanted.provisioner:
        raise RequestRefused("--client", say("refused.no-client"))
    for client in (*wanted.clients, *wanted.provisioner):
        try:
            check(client)
        except BadClient as bad:
            raise RequestRefused("--client", bad.said) from bad
        host = facts.hosts.get(client)
        if host is not None and not host.addresses:
            raise RequestRefused("--client", say("refused.unknown-host", client=client))
    for client in wanted.provisioner:
        if classify(client).is_everybody:
            raise RequestRefused("--provisioner", say("refused.everybody-root", client=client))


def listed(wanted: WantedExport, place: PathFacts, facts: HostFacts) -> ClientList:
    """Clients with their options, the provisioner's first: of two networks that match a host, the first one counts."""
    fixed: tuple[str, ...] = ()
    given = tuple(word for option in wanted.options for word in split(option))
    try:
        if place.mount.needs_fsid and not parse(given).has_fsid:
            fixed = (f"fsid={stable_fsid(facts.machine_id, wanted.path)}",)
        inner = compose((*PROVISIONER_OPTIONS, *fixed), given)
        outer = compose((*CLIENT_OPTIONS, *fixed), given)
    except BadOption as bad:
        raise RequestRefused("--option", bad.said) from bad
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for clients, options in ((wanted.provisioner, inner), (wanted.clients, outer)):
        for client in clients:
            found.setdefault(client.lower(), (client, options))
    return tuple(found.values())


def acting_user(options: Options) -> tuple[int, int]:
    """As whom root of a client comes: root itself, or the anonymous user where root is squashed."""
    if options.has(Flag.ROOT_SQUASH | Flag.ALL_SQUASH):
        return options.anonuid, options.anongid
    return 0, 0
