"""What a leader can show for itself, taken from its election: who it is, since when, and whether it still leads.

The rules of volumes go by this (volumes.standing) without knowing what a lease is.
"""

from __future__ import annotations

import shlex

from berth.kube.leader import Election
from berth.kube.lease import RULED_OUT, leaders_of, listed, version_of


class Leadership:
    """One election, as those see it who act for the leader. Read anew at each question."""

    def __init__(self, election: Election) -> None:
        self._election = election

    @property
    def identity(self) -> str:
        """This leader's name, which no other process ever has."""
        return self._election.identity

    @property
    def lock(self) -> str:
        """Which lock it holds: `namespace/name`."""
        return self._election.lock

    @property
    def term(self) -> int:
        """How often the lock went from one holder to another. A lock that was made anew begins at 0."""
        return self._election.lease.spec.leaseTransitions or 0

    @property
    def version(self) -> int:
        """The lock's version as last seen: on one API server it only ever grows. 0: not known."""
        return version_of(self._election.lease)

    @property
    def found_version(self) -> int:
        """The lock's version when this leader took it. 0: not known."""
        return version_of(self._election.found)

    @property
    def predecessors(self) -> frozenset[str]:
        """Who held the lock before, as far as it said so when this leader took it."""
        return frozenset(leaders_of(self._election.found)) - {self.identity}

    @property
    def ruled_out(self) -> frozenset[str]:
        """Identities that an administrator wrote into the lock's annotation RULED_OUT."""
        return listed(self._election.lease, RULED_OUT)

    def doubt(self) -> str:
        """See Election.doubt."""
        return self._election.doubt()

    async def confirm(self) -> str:
        """See Election.confirm."""
        return await self._election.confirm()

    def how_to_rule_out(self, identity: str) -> str:
        """The command that adds these identities, comma separated, to those ruled out."""
        lock = self._election.reference
        names = ",".join(sorted({*self.ruled_out, *identity.split(",")}))
        return shlex.join(
            [
                "kubectl",
                "-n",
                lock.namespace,
                "annotate",
                lock.kind.lower(),
                lock.name,
                "--overwrite",
                f"{RULED_OUT}={names}",
            ]
        )
