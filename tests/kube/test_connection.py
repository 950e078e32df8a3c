"""Answers are read the same however they are framed and cut; broken ones are errors, never wrong answers."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.kube.connection import Answer, BrokenAnswer, Connection

bodies = st.binary(max_size=300)
framings = st.sampled_from(["length", "chunks", "close"])


@dataclass
class Wire(asyncio.Transport):
    """The other end of a connection: what was written to it, and whether it was dropped."""

    written: bytes = b""
    aborted: bool = False
    paused: list[bool] = field(default_factory=list)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None:
        self.paused.append(True)

    def resume_reading(self) -> None:
        self.paused.append(False)


def connected() -> tuple[Connection, Wire]:
    wire, connection = Wire(), Connection()
    connection.connection_made(wire)
    return connection, wire


def encode(status: int, body: bytes, framing: str, cuts: list[int], extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\n{extra}"
    if framing == "length":
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    if framing == "close":
        return f"{head}\r\n".encode() + body
    chunks = b"".join(b"%x;x=y\r\n%s\r\n" % (len(piece), piece) for piece in cut(body, cuts))
    return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks + b"0\r\nTrailer: t\r\n\r\n"


def cut(content: bytes, cuts: list[int]) -> list[bytes]:
    """content in pieces, none empty."""
    edges = sorted({0, len(content), *(c % (len(content) + 1) for c in cuts)})
    return [content[a:b] for a, b in itertools.pairwise(edges)]


async def deliver(connection: Connection, pieces: list[bytes], *, close: bool = False) -> None:
    for piece in pieces:
        connection.data_received(piece)
        await asyncio.sleep(0)
    if close:
        connection.connection_lost(None)


@given(
    status=st.sampled_from([200, 201, 404, 409, 429, 500]),
    body=bodies,
    framing=framings,
    cuts=st.lists(st.integers(0, 2000), max_size=12),
    interim=st.booleans(),
    streamed=st.booleans(),
)
def test_an_answer_is_the_same_in_any_framing_and_any_pieces(
    status: int, body: bytes, framing: str, cuts: list[int], interim: bool, streamed: bool
) -> None:
    async def main() -> None:
        connection, wire = connected()
        connection.send(b"GET / HTTP/1.1\r\n\r\n", wants_parts=streamed)
        content = encode(status, body, framing, cuts, "Retry-After: 7\r\n")
        if interim:
            content = b"HTTP/1.1 100 Continue\r\n\r\n" + content
        sending = asyncio.create_task(deliver(connection, cut(content, cuts), close=framing == "close"))
        if streamed:
            assert await connection.head() == status
            received = b""
            while part := await connection.part():
                received += part
            assert received == body
        else:
            answer = await connection.whole()
            assert (answer.status, answer.body) == (status, body)
            assert answer.headers[b"retry-after"] == b"7"
        await sending
        assert connection.is_free == (framing != "close")
        assert wire.written.startswith(b"GET")

    asyncio.run(main())


@given(body=bodies, framing=framings, cuts=st.lists(st.integers(0, 2000), max_size=6), keep=st.integers(0, 2000))
def test_an_answer_that_breaks_off_is_an_error_never_a_shorter_answer(
    body: bytes, framing: str, cuts: list[int], keep: int
) -> None:
    whole = encode(200, body, framing, cuts)
    head = whole.index(b"\r\n\r\n") + 4
    end = head if framing == "close" else len(whole)  # up to the end of the connection any part is a whole
    received = whole[: keep % end]

    async def main() -> None:
        connection, _ = connected()
        connection.send(b"GET / HTTP/1.1\r\n\r\n")
        await deliver(connection, cut(received, cuts), close=True)
        with pytest.raises(BrokenAnswer) as caught:
            await connection.whole()
        assert caught.value.clean == (not received)
        assert not connection.is_free

    asyncio.run(main())


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 abc OK\r\n\r\n", id="no status"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", id="no length"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", id="negative length"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", id="no chunk size"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", id="negative chunk size"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", id="chunk longer than said"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000, id="head without end"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 5000, id="size without end"),
    ],
)
def test_what_is_not_http_is_an_error_that_drops_the_connection(content: bytes) -> None:
    async def main() -> None:
        connection, wire = connected()
        connection.send(b"GET / HTTP/1.1\r\n\r\n")
        connection.data_received(content)
        with pytest.raises(BrokenAnswer, match="not HTTP"):
            await connection.whole()
        assert wire.aborted
        assert not connection.is_free

    asyncio.run(main())


@pytest.mark.parametrize(
    ("first_line", "extra", "free"),
    [
        pytest.param("HTTP/1.1 200 OK", "", True, id="kept by default"),
        pytest.param("HTTP/1.1 200 OK", "Connection: close\r\n", False, id="the server says close"),
        pytest.param("HTTP/1.0 200 OK", "", False, id="HTTP/1.0 closes by default"),
        pytest.param("HTTP/1.0 200 OK", "Connection: keep-alive\r\n", True, id="HTTP/1.0 that says keep"),
    ],
)
def test_a_connection_is_kept_if_the_server_keeps_it(first_line: str, extra: str, free: bool) -> None:
    async def main() -> None:
        connection, _ = connected()
        connection.send(b"GET / HTTP/1.1\r\n\r\n")
        connection.data_received(f"{first_line}\r\n{extra}Content-Length: 2\r\n\r\nok".encode())
        assert (await connection.whole()).body == b"ok"
        assert connection.is_free == free

    asyncio.run(main())


def test_an_answer_without_body_ends_with_its_head() -> None:
    async def main() -> None:
        connection, _ = connected()
        connection.send(b"DELETE / HTTP/1.1\r\n\r\n")
        connection.data_received(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert await connection.whole() == Answer(204, {}, b"")
        assert connection.is_free

    asyncio.run(main())


@pytest.mark.parametrize("when", ["after an answer", "with an answer", "before any request"])
def test_what_nobody_asked_for_drops_the_connection(when: str) -> None:
    async def main() -> None:
        connection, _ = connected()
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        if when != "before any request":
            connection.send(b"GET / HTTP/1.1\r\n\r\n")
            connection.data_received(answer + (answer if when == "with an answer" else b""))
            assert (await connection.whole()).body == b"ok"
        if when != "with an answer":
            connection.data_received(answer)
        assert not connection.is_free

    asyncio.run(main())


def test_a_slow_reader_of_a_stream_makes_the_server_wait() -> None:
    async def main() -> None:
        connection, wire = connected()
        connection.send(b"GET /watch HTTP/1.1\r\n\r\n", wants_parts=True)
        connection.data_received(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        for _ in range(20):
            connection.data_received(piece)
        assert wire.paused == [True]
        assert len(await connection.part()) == 20 * 0x10000
        assert wire.paused == [True, False]

    asyncio.run(main())


def test_a_reset_is_told_as_the_system_words_it() -> None:
    async def main() -> None:
        connection, _ = connected()
        connection.send(b"GET / HTTP/1.1\r\n\r\n")
        asyncio.get_running_loop().call_soon(connection.connection_lost, ConnectionResetError(104, "reset"))
        with pytest.raises(ConnectionResetError):
            await connection.whole()

    asyncio.run(main())
