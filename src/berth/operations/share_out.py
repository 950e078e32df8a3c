"""The end of `berth server init`: the share, looked at from the client's side, over the network, from this very host.

A host that asks its own address comes from that address. So of its addresses one is taken that is among the export's
clients; where none is, only a client can tell.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

from berth.doctor.share.probed import ShareReport
from berth.doctor.share.verify import verify
from berth.nfsserver.exports.clients import classify, covers
from berth.volumes.share import ShareAddress

LOOPBACK = "127.0.0.1"


async def verify_here(path: str, clients: Sequence[str]) -> ShareReport | None:
    """What a client would meet; None where this host is none of the clients. clients: as they are exported to."""
    address = await asyncio.to_thread(own_address, clients)
    if address is None:
        return None
    spelled = f"[{address}]" if ":" in address else address
    return await verify(ShareAddress(spelled, path))


def own_address(clients: Sequence[str]) -> str | None:
    """An address of this host that one of the clients covers; None when there is none, as far as that can be told."""
    for text in clients:
        client = classify(text)
        if client.kind == "everybody":
            return LOOPBACK
        if client.network is not None:
            towards = str(client.network.network_address + (0 if client.network.num_addresses == 1 else 1))
        elif client.kind == "host":
            towards = text
        else:
            continue
        address = _source_address(towards)
        if address and (covers(client, address) or (client.network is None and _is_own(text, address))):
            return address
    return None


def _source_address(towards: str) -> str:
    """From which of our addresses we would reach another. Nothing is sent."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(towards, 2049, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as asked:
            asked.connect(place)
            return str(asked.getsockname()[0])
    except OSError:
        return ""


def _is_own(name: str, address: str) -> bool:
    """Whether a client's name is this host's."""
    try:
        return address in {answer[4][0] for answer in socket.getaddrinfo(name, None)}
    except OSError:
        return False
