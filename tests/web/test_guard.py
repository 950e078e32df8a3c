"""What strangers can do to the port: open it, and be shown the door. The probe beside them gets its answer."""

from __future__ import annotations

import http.client
import logging
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

import pytest
from prometheus_client import CollectorRegistry, Counter

from berth.web import guard
from tests.web.test_app import ask, serve

HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


def dial(port: int, said: bytes = b"") -> socket.socket:
    """A connection that has said so much."""
    made = socket.create_connection(("127.0.0.1", port), timeout=30)
    made.sendall(said)
    return made


def answer_of(connection: socket.socket) -> bytes:
    """All that comes until the other side ends the connection."""
    got = b""
    try:
        while part := connection.recv(65536):
            got += part
    except ConnectionError:
        pass
    return got


def probe(port: int) -> int:
    """What a kubelet gets, which has an address of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=("127.0.0.9", 0))
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    finally:
        connection.close()


def test_thousands_of_unfinished_requests_are_ended_while_probes_are_answered(caplog: pytest.LogCaptureFixture) -> None:
    kinds = [b"", b"GET /met", HEAD, b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", b"\r\n"]

    def visit(port: int) -> None:
        with ExitStack() as opened:
            left = []
            for number in range(2000):
                left.append(opened.enter_context(dial(port, kinds[number % len(kinds)])))
                if number % 100 == 0:
                    assert probe(port) == 200
            for connection in left:  # each ends by itself: this would hang for ever otherwise
                answer_of(connection)
            assert probe(port) == 200

    with caplog.at_level(logging.INFO):
        serve(visit)
    assert [record for record in caplog.records if record.name != "asyncio"] == []
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_no_more_connections_are_held_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "REQUEST_SECONDS", 300.0)  # nothing ends by time here

    def visit(port: int) -> None:
        with ExitStack() as opened:
            many = [opened.enter_context(dial(port, HEAD)) for _ in range(guard.MOST_CONNECTIONS * 3)]
            assert probe(port) == 200
            for connection in many[: guard.MOST_CONNECTIONS * 2]:
                assert answer_of(connection) == b""
            last = many[-1]
            last.sendall(b"\r\n")
            assert last.recv(65536).startswith(b"HTTP/1.1 200")

    serve(visit)


def drip(connection: socket.socket) -> None:
    """A byte now and again, for as long as it is taken."""
    end = time.monotonic() + 60
    try:
        while time.monotonic() < end:
            connection.sendall(b"x")
            connection.settimeout(0.05)
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                pass
    except OSError:
        return
    raise AssertionError("a request that never ends was read for a minute")


def keep_asking_without_reading(connection: socket.socket) -> None:
    """Asks for large answers and takes none of them."""
    connection.settimeout(60)
    try:
        while True:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    except TimeoutError:
        raise AssertionError("a reader that does not read was waited for") from None
    except OSError:
        return


@pytest.mark.parametrize(
    ("begin", "go_on"),
    [
        pytest.param(HEAD + b"X-Y: ", drip, id="headers that never end"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", drip, id="body that never ends"
        ),
        pytest.param(b"", keep_asking_without_reading, id="answers that nobody takes"),
    ],
)
def test_who_never_ends_is_ended(
    monkeypatch: pytest.MonkeyPatch, begin: bytes, go_on: Callable[[socket.socket], None]
) -> None:
    monkeypatch.setattr(guard, "REQUEST_SECONDS", 1.0)
    registry = CollectorRegistry()
    many = Counter("many_total", "Large.", ["n"], registry=registry)
    for number in range(2000):
        many.labels(str(number)).inc()

    def visit(port: int) -> None:
        with dial(port, begin) as connection:
            go_on(connection)
        assert ask(port, "/healthz").status == 200

    serve(visit, registry=registry)


NONSENSE = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
    b"\0" * 1000,
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
    b"GET /%00%ff/../..//healthz?" + b"&" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]


def test_nonsense_is_answered_or_ended_and_is_no_line_in_the_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(guard, "REQUEST_SECONDS", 0.3)

    def visit(port: int) -> None:
        for said in NONSENSE:
            with dial(port) as connection:
                with suppress(OSError):
                    connection.sendall(said)
                assert b"HTTP/1.1 5" not in answer_of(connection)
        assert probe(port) == 200

    with caplog.at_level(logging.WARNING):
        serve(visit)
    assert caplog.records == []
    assert capfd.readouterr().err == ""


def test_stopping_does_not_wait_for_who_never_ends() -> None:
    left: list[socket.socket] = []
    begin = time.monotonic()
    serve(lambda port: left.extend(dial(port, HEAD) for _ in range(20)))  # fails where it is not over in ten seconds
    assert time.monotonic() - begin < 30
    for connection in left:
        connection.close()
