"""What the rules of lint work on: the files, the facts, and the few questions that several rules ask of them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from berth.findings.entry import Value
from berth.findings.finding import Finding
from berth.nfsserver.exports.clients import Network, classify, overlap
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

    def overlap(self, one: Export, other: Export) -> bool | None:
        """Can one host be a client of both. None: it depends on names that nobody was asked for."""
        if overlap(classify(one.client), classify(other.client)):
            return True
        here, there = self._networks(one.client), self._networks(other.client)
        if here is None or there is None:
            return None
        return any(mine.version == its.version and mine.overlaps(its) for mine in here for its in there)

    def _networks(self, client: str) -> list[Network] | None:
        known = classify(client)
        if known.network:
            return [known.network]
        if known.kind == "host" and client in self.facts.hosts:
            addresses = (address.partition("%")[0] for address in self.facts.hosts[client].addresses)
            return [ipaddress.ip_network(address) for address in addresses]
        return [] if known.kind == "network" else None

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


def about(id: str, export: Export, *, variant: str = "", **facts: Value) -> Finding:
    """The finding about one export. {client} and {path} are known."""
    known: dict[str, Value] = {"client": export.client, **facts}
    return find(id, variant=variant, source=export.source, line=export.line, path=export.path, **known)
