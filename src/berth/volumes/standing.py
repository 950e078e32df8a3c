"""In whose name a step is taken, and whether that still holds (I12): how the rules see a leader among processes.

Every record says which leader wrote it. Who finds another leader's name there, and can't know that this one is of the
past, makes sure of its own leadership before it goes on: so a process that was stopped while another took over never
acts on what the other one has written since.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from berth.volumes.errors import Unavailable
from berth.volumes.naming import record_path
from berth.volumes.records import Record
from berth.volumes.share import Share


class Standing(Protocol):
    """One process that leads, or that has nobody beside it. An identity leads once in its life."""

    @property
    def identity(self) -> str:
        """Its name, which no other process ever has. Empty: there is no election, and all questions are idle."""

    @property
    def lock(self) -> str:
        """Which lock it holds; another lock of the same cluster has a leader of its own."""

    @property
    def term(self) -> int:
        """How often the lock changed hands. Tells people more than it proves: a new lock begins at 0."""

    @property
    def version(self) -> int:
        """A number that only grows as long as the cluster's history goes on; 0: not known."""

    @property
    def found_version(self) -> int:
        """The version that the lock had when this process took it; 0: not known."""

    @property
    def predecessors(self) -> frozenset[str]:
        """Who led before, as far as the lock said so when this process took it."""

    @property
    def ruled_out(self) -> frozenset[str]:
        """Leaders of which an administrator said that they must not be minded any more."""

    def doubt(self) -> str:
        """Empty: it leads at this moment. Otherwise why that is not certain."""

    async def confirm(self) -> str:
        """Empty: the lock was renewed since this was asked. Otherwise why not."""

    def how_to_rule_out(self, identity: str) -> str:
        """The command by which an administrator rules another leader out, in favour of this one."""


class _Alone:
    """A process without an election, such as a command."""

    identity = lock = ""
    term = version = found_version = 0
    predecessors: frozenset[str] = frozenset()
    ruled_out: frozenset[str] = frozenset()

    def doubt(self) -> str:
        return ""

    async def confirm(self) -> str:
        return ""

    def how_to_rule_out(self, identity: str) -> str:
        return ""


ALONE: Standing = _Alone()
"""Never in doubt, and writes no name."""


class Fence:
    """Keeps a leader of the past off what a later one has written."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._past: set[str] = set()

    def stamp(self, record: Record) -> Record:
        """The record as this process writes it: with its own name."""
        us = self._standing
        return replace(record, leader=us.identity, term=us.term) if us.identity else record

    async def check(self, record: Record, share: Share) -> None:
        """Called with a record as it is now, before a step that can't be taken back. Unavailable(lease) when a leader
        wrote it that may have come after this process.

        Costs a renewal of the lock for each former leader that the lock itself does not name; nothing otherwise.
        """
        us, leader = self._standing, record.leader
        if not us.identity or not leader or leader in {us.identity, *us.predecessors, *self._past}:
            return
        why = await us.confirm()
        if why:
            raise Unavailable(
                str(share.address),
                "lease",
                f"{record_path(record.pv)} was written by the leader {leader} (term {record.term}), and whether this "
                f"process ({us.identity}, term {us.term}) leads after that one is not certain: {why}",
            )
        self._past.add(leader)  # it led before this moment, and will not again
