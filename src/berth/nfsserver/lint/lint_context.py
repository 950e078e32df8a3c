"""What the rules of lint work on: the files, the facts, and the few questions that several rules ask of them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from berth.findings.entry import Value
from berth.findings.finding import Finding
from berth.nfsserver.exports.clients import EVERYBODY, classify
from berth.nfsserver.exports.facts import HostFacts, PathFacts
from berth.nfsserver.exports.parse import Export, ExportEntry, ExportsFile
from berth.nfsserver.lint.finding import find


@dataclass(frozen=True, slots=True)
class Need:
    """A path that a provisioner works in. address: from where, as an address or a network; empty: not known."""

    path: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class LintContext:
    """Everything that the rules may look at."""

    files: tuple[ExportsFile, ...]
    facts: HostFacts
    needs: tuple[Need, ...] = ()
    anew: tuple[tuple[str, range], ...] = ()
    """Files and lines that are to be written anew: what they seem to say is nothing that anybody meant."""

    def is_anew(self, source: str, line: int) -> bool:
        """Whether the line is one of those."""
        return any(source == file and line in lines for file, lines in self.anew)

    @property
    def entries(self) -> tuple[ExportEntry, ...]:
        """All entries, in the order in which exportfs reads them; those that it never gets to see, too."""
        return tuple(entry for file in self.files for entry in file.entries)

    @property
    def exports(self) -> tuple[Export, ...]:
        """What exportfs takes from the files."""
        return tuple(export for file in self.files for export in file.exports)

    @property
    def release(self) -> str:
        """The release of the nfs-utils that reads the exports, empty where it is not known."""
        return self.facts.nfs_utils.release if self.facts.nfs_utils else ""

    @property
    def spelled(self) -> tuple[Export, ...]:
        """The exports as the live table spells them."""
        return self.facts.spelled(self.files)

    def exported_paths(self) -> Iterator[tuple[Export, PathFacts]]:
        """Each exported path once, by its first export, with what is there."""
        seen: set[str] = set()
        for entry in self.entries:
            export = entry.export
            place = self.facts.paths.get(export.path)
            if place and export.path not in seen:
                seen.add(export.path)
                yield export, place


_Range = tuple[tuple[int, int], tuple[int, int]]
"""The first and the last address of a network, each behind its version."""


class Overlaps:
    """Which clients can be one host. Each is looked at once, as thousands are compared with each other."""

    def __init__(self, facts: HostFacts) -> None:
        self._facts = facts
        self._ranges: dict[str, tuple[_Range, ...] | None] = {}

    def can_meet(self, one: str, other: str) -> bool | None:
        """Can one host be both. None: it depends on names that nobody was asked for."""
        here, there = self._of(one), self._of(other)
        if one == other or EVERYBODY in (one, other):
            return True
        if here is None or there is None:
            return None
        return any(mine[0] <= its[1] and its[0] <= mine[1] for mine in here for its in there)

    def _of(self, client: str) -> tuple[_Range, ...] | None:
        if client not in self._ranges:
            self._ranges[client] = self._look(client)
        return self._ranges[client]

    def _look(self, client: str) -> tuple[_Range, ...] | None:
        known = classify(client)
        if known.network is not None:
            networks = [known.network]
        elif known.kind == "host" and client in self._facts.hosts:
            addresses = (each.partition("%")[0] for each in self._facts.hosts[client].addresses)
            networks = [ipaddress.ip_network(each) for each in addresses]
        elif known.kind == "network":
            networks = []
        else:
            return None
        return tuple(((each.version, int(each[0])), (each.version, int(each[-1]))) for each in networks)


def about(id: str, export: Export, *, variant: str = "", **facts: Value) -> Finding:
    """The finding about one export. {client} and {path} are known."""
    known: dict[str, Value] = {"client": export.client, **facts}
    return find(id, variant=variant, source=export.source, line=export.line, path=export.path, **known)
