"""Free addresses and ports on the loopback network, and looking whether something serves there."""

from __future__ import annotations

import os
import random
import socket
import struct
from contextlib import ExitStack

# Below the range from which the kernel takes the ports of outgoing connections: a server that is restarted must find
# its port free, which no client may have been given in the meantime.
_PORTS = range(20000, 32000)

NFS3 = (100003, 3)
NFS4 = (100003, 4)
MOUNTD3 = (100005, 3)


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Distinct TCP ports that nobody listens on at host, outside the range of outgoing connections."""
    with ExitStack() as held:
        ports: list[int] = []
        for port in random.SystemRandom().sample(_PORTS, k=len(_PORTS)):
            if len(ports) == count:
                break
            if listener := _bind(host, port, socket.SOCK_STREAM):
                held.enter_context(listener)
                ports.append(port)
    return ports


def free_port(host: str = "127.0.0.1") -> int:
    """One such port."""
    return free_ports(1, host)[0]


def can_listen(host: str, port: int) -> bool:
    """True when a TCP server could be started at host and port now."""
    listener = _bind(host, port, socket.SOCK_STREAM)
    if listener is None:
        return False
    listener.close()
    return True


def free_loopback_address() -> str:
    """An address in 127.0.0.0/8 at which this process listens nowhere, unlikely to be chosen twice on one machine."""
    chosen = random.SystemRandom()
    return f"127.{chosen.randint(16, 254)}.{chosen.randint(1, 254)}.{chosen.randint(1, 254)}"


def portmapper_sockets(host: str) -> tuple[socket.socket, socket.socket] | None:
    """UDP and TCP sockets on host's port 111, ready for a server; None when the machine's own rpcbind holds it."""
    udp = _bind(host, 111, socket.SOCK_DGRAM)
    tcp = _bind(host, 111, socket.SOCK_STREAM)
    if udp is None or tcp is None:
        for held in (udp, tcp):
            if held is not None:
                held.close()
        return None
    return udp, tcp


def answers_rpc(host: str, port: int, program: tuple[int, int]) -> bool:
    """True when an ONC RPC program (number, version) serves there: its NULL procedure succeeds within a second."""
    call_id = int.from_bytes(os.urandom(4), "big")
    call = struct.pack(">IIIIII4I", call_id, 0, 2, *program, 0, 0, 0, 0, 0)
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            connection.sendall(struct.pack(">I", 0x80000000 | len(call)) + call)
            answer = connection.makefile("rb").read(28)
    except OSError:
        return False
    # Record mark, call id, REPLY, accepted, verifier (flavour and length), SUCCESS.
    return len(answer) == 28 and struct.unpack(">7I", answer)[1:4] == (call_id, 1, 0) and answer[-4:] == bytes(4)


def _bind(host: str, port: int, kind: socket.SocketKind) -> socket.socket | None:
    """A socket at host and port, listening if it is TCP: a bind alone succeeds beside a server that is listening."""
    bound = socket.socket(socket.AF_INET, kind)
    try:
        if kind == socket.SOCK_STREAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        if kind == socket.SOCK_STREAM:
            bound.listen(64)
    except OSError:
        bound.close()
        return None
    return bound
