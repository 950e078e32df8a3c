"""Leaders as the rules see them, of clusters that can be backed up, restored and copied. No Kubernetes."""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass, field

_numbers = itertools.count(1)


@dataclass
class Cluster:
    """What an API server keeps: a history that grows, and a lock in it."""

    version: int = 100
    holder: str = ""
    leaders: list[str] = field(default_factory=list)
    locked_at: int = 0
    ruled_out: set[str] = field(default_factory=set)

    def work(self, changes: int = 10) -> None:
        """Other things change."""
        self.version += changes

    def back_up(self) -> Cluster:
        """What a restored copy begins with."""
        return copy.deepcopy(self)

    def remove_lock(self) -> None:
        """As by hand."""
        self.holder, self.leaders, self.locked_at = "", [], 0

    def lead(self, name: str = "berth") -> Leader:
        """A new process takes the lock."""
        return Leader(self, f"{name}_{next(_numbers)}")


class Leader:
    """A Standing: one process that took its cluster's lock."""

    lock = "berth/nfs.berth.io"

    def __init__(self, cluster: Cluster, identity: str) -> None:
        self.identity = identity
        self.cluster = cluster
        self.predecessors = frozenset([*cluster.leaders, *([cluster.holder] if cluster.holder else [])])
        cluster.work()
        self.found_version = cluster.locked_at or cluster.version
        cluster.holder, cluster.leaders = identity, [*cluster.leaders, identity][-8:]
        self.term = len(cluster.leaders)
        self.version = 0
        self.confirmed = 0
        self.renew()

    def renew(self) -> None:
        """One renewal."""
        self.cluster.work()
        self.version = self.cluster.locked_at = self.cluster.version

    @property
    def ruled_out(self) -> frozenset[str]:
        return frozenset(self.cluster.ruled_out)

    def doubt(self) -> str:
        return "" if self.cluster.holder == self.identity else f"{self.cluster.holder} leads now"

    async def confirm(self) -> str:
        self.confirmed += 1
        if not self.doubt():
            self.renew()
        return self.doubt()

    def how_to_rule_out(self, identity: str) -> str:
        return f"rule out {identity}"
