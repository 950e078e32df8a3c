"""HTTP/1.1 as a client reads it: however an answer is cut on its way, and whatever it says."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from berth.kube.channel import Channel
from berth.kube.reply import Broken, OverLong, Reply

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE = {
    "a length": (OK + b"content-LENGTH:  5 \r\nX: y\r\n\r\nhello", b"hello", True),
    "nothing": (OK + b"Content-Length: 0\r\n\r\n", b"", True),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", b"x", True),
    "chunks": (CHUNKED + b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n", b"hello", True),
    "chunks and a trailer": (CHUNKED + b"005\r\nhello\r\n0\r\nX: y\r\nZ: 1\r\n\r\n", b"hello", True),
    "it goes on, and then": (
        b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\nx",
        b"x",
        True,
    ),
    "the last one": (OK + b"Connection: Close\r\nContent-Length: 1\r\n\r\nx", b"x", False),
    "an old server": (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", b"x", False),
    "more than was asked for": (OK + b"Content-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n", b"x", False),
}
NONE = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "HTTP/2": b"HTTP/2 200 OK\r\n\r\n",
    "a status that is none": b"HTTP/1.1 9999 X\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 X\r\nUpgrade: h2c\r\n\r\n",
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
    "a length that is none": OK + b"Content-Length: -1\r\n\r\n",
    "packed": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "chunks that are none": CHUNKED + b"0x3\r\nabc\r\n",
    "chunks without their end": CHUNKED + b"1\r\nabc\r\n",
    "a head without an end": OK + b"X: y\r\n" * 20_000,
    "a chunk's head without an end": CHUNKED + b"1;" + b"x" * 2000,
}


class Transport:
    """As much of one as a Channel needs."""

    def __init__(self) -> None:
        self.written = b""
        self.is_closed = False
        self.is_paused = False

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.is_closed

    def abort(self) -> None:
        self.is_closed = True

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


def asked(*, is_stream: bool = False, most: int = 1000) -> tuple[Channel, Transport, Reply]:
    """A connection over which something was asked."""
    channel, transport = Channel(), Transport()
    channel.connection_made(cast("asyncio.Transport", transport))
    reply = channel.ask(b"GET / HTTP/1.1\r\n\r\n", most, is_stream=is_stream)
    assert transport.written == b"GET / HTTP/1.1\r\n\r\n"
    return channel, transport, reply


def come(channel: Channel, data: bytes) -> None:
    """Has it come over the connection, in as many pieces as there is room for at once."""
    while data and channel.is_open:
        room = channel.get_buffer(-1)
        size = min(len(room), len(data))
        room[:size] = data[:size]
        channel.buffer_updated(size)
        data = data[size:]


@pytest.mark.parametrize("what", WHOLE)
async def test_an_answer_is_the_same_however_it_is_cut(what: str) -> None:
    said, body, stays = WHOLE[what]
    for at in range(len(said) + 1):
        channel, _, reply = asked()
        for part in (said[:at], said[at:]):
            if part and not reply.is_done:
                come(channel, part)
        assert await reply.whole() == body
        assert channel.may_stay is stays or what.startswith("more")
    channel, _, reply = asked()
    for index in range(len(said)):
        if not reply.is_done:
            come(channel, said[index : index + 1])
    assert (await reply.whole(), reply.status // 100) == (body, 2)


async def test_what_has_no_length_ends_with_the_connection() -> None:
    channel, _, reply = asked()
    come(channel, OK + b"\r\nhel")
    come(channel, b"lo")
    assert not reply.is_done
    channel.connection_lost(None)
    assert await reply.whole() == b"hello"
    assert not channel.may_stay


@pytest.mark.parametrize("what", NONE)
async def test_what_is_no_answer_breaks_the_conversation(what: str) -> None:
    channel, transport, reply = asked()
    come(channel, NONE[what])
    assert not transport.is_closed, "TLS is still handing over what it has read"
    with pytest.raises(Broken):
        await reply.whole()
    await asyncio.sleep(0)  # the next turn
    assert transport.is_closed
    with pytest.raises(Broken):
        channel.ask(b"", 0)


async def test_an_answer_that_is_too_long_is_not_waited_for() -> None:
    channel, transport, reply = asked(most=10)
    come(channel, CHUNKED + b"9\r\nxxxxxxxxx\r\n")
    come(channel, b"2\r\nxx\r\n")
    with pytest.raises(OverLong):
        await reply.whole()
    await asyncio.sleep(0)
    assert transport.is_closed


async def test_what_nobody_asked_for_ends_the_connection() -> None:
    channel, transport, reply = asked()
    come(channel, OK + b"Content-Length: 0\r\n\r\n")
    await reply.whole()
    assert channel.may_stay
    come(channel, OK)
    assert not channel.may_stay
    await asyncio.sleep(0)
    assert transport.is_closed


@pytest.mark.parametrize(
    ("said", "why"), [(b"", "before its answer"), (b"HT", "in the middle"), (CHUNKED + b"1\r\nx", "in the middle")]
)
async def test_where_it_breaks_off_is_told(said: bytes, why: str) -> None:
    channel, _, reply = asked()
    if said:
        come(channel, said)
    channel.connection_lost(None)
    with pytest.raises(Broken, match=why):
        await reply.whole()


async def test_a_stream_comes_as_it_is_sent_and_the_server_waits_for_who_reads_slowly() -> None:
    channel, transport, reply = asked(is_stream=True)
    come(channel, CHUNKED + b"2\r\nab\r\n1\r\nc\r\n")
    assert await reply.head() == 200
    assert await reply.readany() == b"abc"
    size = 1 << 20
    come(channel, b"%x\r\n" % (size + 1) + b"x" * size)
    assert not transport.is_paused
    come(channel, b"y\r\n")
    assert transport.is_paused
    assert len(await reply.readany()) == size + 1
    assert not transport.is_paused
    come(channel, b"0\r\n\r\n")
    assert await reply.readany() == b""


async def test_a_stream_that_is_silent_is_given_up_at_the_time_that_was_said_last() -> None:
    clock = asyncio.get_running_loop().time
    channel, transport, reply = asked(is_stream=True)
    come(channel, CHUNKED)
    await reply.head()
    for _ in range(3):
        asyncio.get_running_loop().call_later(0.05, come, channel, b"1\r\nx\r\n")
        assert await reply.readany(clock() + 0.2) == b"x"
    begin = clock()
    with pytest.raises(TimeoutError):
        await reply.readany(begin + 0.2)
    assert 0.15 < clock() - begin < 10
    assert transport.is_closed
