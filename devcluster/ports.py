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
    return _call(host, port, program, 0) is not None


def exports_of(host: str, port: int) -> set[str]:
    """The paths that a mountd exports, as `showmount -e` lists them; none when it does not answer."""
    answer = _Xdr(_call(host, port, MOUNTD3, 5) or bytes(4))
    paths = set()
    while answer.number():
        paths.add(answer.string())
        while answer.number():  # who may mount it
            answer.string()
    return paths


class _Xdr:
    """Reads numbers and strings off an answer."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    def number(self) -> int:
        return int.from_bytes(self._take(4), "big")

    def string(self) -> str:
        length = self.number()
        return self._take(length + -length % 4)[:length].decode()

    def _take(self, count: int) -> bytes:
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken


def _call(host: str, port: int, program: tuple[int, int], procedure: int) -> bytes | None:
    """The result of a procedure without arguments; None when nothing answers within a second, or it refuses."""
    call_id = int.from_bytes(os.urandom(4), "big")
    call = struct.pack(">10I", call_id, 0, 2, *program, procedure, 0, 0, 0, 0)
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            connection.sendall(struct.pack(">I", 0x80000000 | len(call)) + call)
            stream = connection.makefile("rb")
            # The lengths of such small answers fit one record.
            answer = stream.read(int.from_bytes(stream.read(4), "big") & 0x7FFFFFFF)
    except OSError:
        return None
    # Call id, REPLY, accepted, no verifier (flavour and length), SUCCESS.
    return answer[24:] if answer[:24] == struct.pack(">6I", call_id, 1, 0, 0, 0, 0) else None


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
