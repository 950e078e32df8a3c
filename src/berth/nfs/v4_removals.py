"""Many files of one directory removed in few calls of NFSv4."""

from __future__ import annotations

from collections.abc import Sequence

from berth.nfs.message import Identity
from berth.nfs.rpc import Connection
from berth.nfs.status import NfsError, Status
from berth.nfs.v4_compound import REMOVE, attempt, named, on

AT_ONCE = 15
"""In one COMPOUND: with what leads to the directory they are 16 operations, older Linux servers' limit."""


class Removals:
    """Of one session. A server that finds calls too long (RESOURCE) gets shorter ones from then on."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._at_once = AT_ONCE

    async def remove(self, directory: bytes, names: Sequence[str], who: Identity) -> list[NfsError | None]:
        """What each came to. A COMPOUND ends at the first operation that fails, so another one does the rest."""
        results: list[NfsError | None] = []
        while len(results) < len(names):
            part = names[len(results) : len(results) + self._at_once]
            removals = [named(REMOVE, name) for name in part]
            done, error = await attempt(self._connection, [on(directory), *removals], who, guarded=True)
            results += [None] * (len(done) - 1)
            if error is None:
                continue
            if error.code == Status.RESOURCE and len(part) > 1:
                self._at_once = len(part) // 2
            elif done:
                results.append(error)
            else:  # the directory itself
                return [*results, *[error] * (len(names) - len(results))]
        return results
