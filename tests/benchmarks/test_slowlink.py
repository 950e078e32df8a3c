"""The slow link delays each direction, hands on everything in order, and is long rather than narrow."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from benchmarks import slowlink

DELAY = 0.02


def _echo(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        while piece := connection.recv(65536):
            connection.sendall(piece)


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    """A client's end of a connection through a slow link to a server that says back what it hears."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as near:
        threading.Thread(target=_echo, args=(server,), daemon=True).start()
        link = threading.Thread(target=slowlink.serve, args=(near, server.getsockname(), DELAY), daemon=True)
        link.start()
        with socket.create_connection(near.getsockname(), timeout=30) as client:
            yield client
        near.shutdown(socket.SHUT_RDWR)  # closing it would leave the thread waiting, for whatever gets the number next
        link.join(30)


def _read(connection: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size and (piece := connection.recv(65536)):
        content += piece
    return content


def test_an_answer_takes_the_delay_twice(connection: socket.socket) -> None:
    begin = time.monotonic()
    connection.sendall(b"ping")

    assert _read(connection, 4) == b"ping"
    assert time.monotonic() - begin >= 2 * DELAY


def test_what_is_sent_without_waiting_is_not_slowed_down_by_what_is_under_way(connection: socket.socket) -> None:
    lines = [b"%06d\n" % number for number in range(2000)]
    begin = time.monotonic()
    for line in lines:
        connection.sendall(line)

    assert _read(connection, 7 * len(lines)) == b"".join(lines)
    assert time.monotonic() - begin < 2 * DELAY * len(lines) / 10  # one after another it would take 80 s


def test_the_end_is_handed_on(connection: socket.socket) -> None:
    connection.sendall(b"last")
    connection.shutdown(socket.SHUT_WR)

    assert _read(connection, 100) == b"last"
