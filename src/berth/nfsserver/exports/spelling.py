"""Paths and clients as the live table spells them: links resolved, host names as the resolver has them.

exportfs asks the resolver for every host; hosts with an address in common are one client, under the name of the first.
A name that can't be resolved is not exported at all.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from berth.nfsserver.exports.clients import classify
from berth.nfsserver.exports.parse import Export

RESOLVE_DEADLINE = 5.0
"""Seconds for asking the resolver about all names."""


@dataclass(frozen=True, slots=True)
class ResolvedHost:
    """What the resolver says of one name. No addresses: it does not know it, or did not answer in time."""

    name: str
    addresses: frozenset[str]


async def resolve(clients: Iterable[str], deadline: float = RESOLVE_DEADLINE) -> Mapping[str, ResolvedHost]:
    """What the resolver says of the hosts among clients, all asked at once. Never raises."""
    wanted = sorted({client for client in clients if classify(client).kind == "host"})
    tasks = {client: asyncio.create_task(_ask(client), name=f"resolve {client}") for client in wanted}
    if tasks:
        _, late = await asyncio.wait(tasks.values(), timeout=deadline)
        for task in late:
            task.cancel()
    return {
        client: task.result() if task.done() and not task.cancelled() else ResolvedHost(client, frozenset())
        for client, task in tasks.items()
    }


async def _ask(client: str) -> ResolvedHost:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            client, None, proto=socket.IPPROTO_UDP, flags=socket.AI_CANONNAME
        )
    except (OSError, UnicodeError):
        return ResolvedHost(client, frozenset())
    return ResolvedHost(found[0][3] or client, frozenset(str(address[0]) for *_, address in found))


def real_path(path: str) -> str:
    """The path without links, `..` and doubled slashes; as it is when nothing is there."""
    try:
        return os.path.realpath(path, strict=True) if path and "\0" not in path else path
    except OSError:
        return path


def spell(
    exports: Sequence[Export], hosts: Mapping[str, ResolvedHost], real: Callable[[str], str] = real_path
) -> tuple[Export, ...]:
    """The exports with paths and clients as the table has them, those left out whose host nobody knows.

    Hosts that are not in hosts stay as they are.
    """
    known: dict[str, tuple[int, ResolvedHost]] = {}
    spelled: list[Export] = []
    for export in exports:
        client = export.client
        host = hosts.get(client)
        if host is not None:
            if not host.addresses:
                continue
            mine = (len(spelled), host)
            first = min((known.get(address, mine) for address in host.addresses), key=lambda each: each[0])
            known.update(dict.fromkeys(host.addresses, first) if first is mine else {})
            client = first[1].name
        spelled.append(replace(export, path=real(export.path), client=client))
    return tuple(spelled)
