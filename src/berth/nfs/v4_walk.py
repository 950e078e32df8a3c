"""Walks of NFSv4: from a directory along names, and what is done at their end, as operations of one COMPOUND."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from berth.nfs import v4_compound as compound
from berth.nfs.session import CHUNK, LookThen, NfsNode, OpenThen, ReadThen, RemoveThen, Then
from berth.nfs.status import NfsError, Status
from berth.nfs.v4_compound import (
    GET_HANDLE,
    LOOK,
    NO_STATE,
    RESTORE_HANDLE,
    SAVE_HANDLE,
    Operation,
    kind_is,
    named,
    on,
)
from berth.nfs.v4_write import OpenFile, OpenOwner, creating
from berth.nfs.xdr import hyper, uint

MOST_OPERATIONS = 16
"""In one COMPOUND: older Linux servers' limit."""


class Walk:
    """One call that walks along parts from start and does then; how it is asked, and what its answer means."""

    def __init__(
        self, start: bytes, parts: Sequence[str], then: Then | None = None, owner: OpenOwner | None = None
    ) -> None:
        """owner: who opens the new file of an OpenThen, whose answer is an OpenFile."""
        self._count = len(parts)
        fits = then is not None and 1 + 3 * len(parts) + _needs(then) <= MOST_OPERATIONS
        self._then = then if fits else None
        self.operations = [on(start), *_along(parts)]
        self._owner = owner
        self._do_more(start, parts)

    @property
    def is_guarded(self) -> bool:
        """Whether it does what can't be taken back."""
        return isinstance(self._then, RemoveThen)

    def found(self, results: Sequence[Any], error: NfsError | None) -> list[NfsNode]:
        """What was found on the way; what was done at the end is told to whoever asked for it."""
        nodes: list[NfsNode] = []
        handle = b""
        for operation, result in zip(self.operations, results, strict=False):
            if operation is GET_HANDLE:
                handle = result
            elif operation is LOOK:
                nodes.append(NfsNode(handle, result))
        is_whole = error is None
        match self._then:
            case ReadThen() as reading if is_whole:
                data, is_end = results[-1]
                reading.content = data if is_end else None
            case RemoveThen() as removing:
                removing.is_done = is_whole
            case LookThen() as looking if len(nodes) > self._count and (is_whole or _is_missing(error)):
                looking.found = nodes[self._count :]
            case OpenThen() as opening:
                opening.opened = self._made(results)
        return nodes[: self._count]

    def _do_more(self, start: bytes, parts: Sequence[str]) -> None:
        operations = self.operations
        match self._then:
            case ReadThen(most=most):
                # The state of zeros: reading without having opened, which needs no state on the server.
                arguments = NO_STATE.encoded() + hyper(0) + uint(min(CHUNK, most))
                operations.append(Operation(compound.READ, arguments))
            case RemoveThen(is_directory=is_directory):
                operations.insert(-3, SAVE_HANDLE)
                removing = named(compound.REMOVE, parts[-1])
                operations += [kind_is(is_directory=is_directory), RESTORE_HANDLE, removing]
            case LookThen(parts=others):
                operations += [on(start), *_along(others)]
            case OpenThen(name=name) if self._owner is not None:
                operations[-3:-3] = [SAVE_HANDLE, creating(self._owner, name), _GET_MADE, RESTORE_HANDLE]

    def _made(self, results: Sequence[Any]) -> OpenFile | None:
        at = len(self.operations) - 5  # RESTOREFH and the last step of the walk come after it
        if len(results) <= at or self._owner is None:
            return None
        state, flags = results[at - 1]
        return OpenFile(self._owner, results[at], state, flags)


_GET_MADE = Operation(compound.GETFH)
"""Like GET_HANDLE, but not of what is on the way."""


def _along(parts: Sequence[str]) -> list[Operation]:
    operations = []
    for part in parts:
        operations += [named(compound.LOOKUP, part), GET_HANDLE, LOOK]
    return operations


def _is_missing(error: NfsError | None) -> bool:
    return error is not None and error.code == Status.NOENT


def _needs(then: Then) -> int:
    """How many operations more it takes."""
    match then:
        case ReadThen():
            return 1
        case LookThen(parts=parts):
            return 1 + 3 * len(parts)
        case _:
            return 4
