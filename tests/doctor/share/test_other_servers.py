"""What listens on the NFS port need not be an NFS server, and a network need not let everything through."""

from __future__ import annotations

import asyncio
import ctypes
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from berth.doctor.share.probed import ShareReport
from berth.doctor.share.verify import verify
from berth.volumes.share import ShareAddress

pytestmark = pytest.mark.slow

_CLONE_NEWNET = 0x40000000

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[int]:
    """A server on some port."""
    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()


async def look(port: int) -> ShareReport:
    return await verify(ShareAddress("127.0.0.1", "/srv", port=port, mountport=port), deadline=0.4)


def blamed(report: ShareReport) -> tuple[str, str]:
    assert report.culprit is not None
    return report.culprit.id, report.culprit.seen.en


async def test_a_web_server() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 100)
        writer.close()

    async with serving(serve) as port:
        probe, seen = blamed(await look(port))
    assert (probe, seen) == ("answers", f"what listens on 127.0.0.1 port {port} does not speak NFS")


async def test_a_server_that_closes_at_once() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with serving(serve) as port:
        assert blamed(await look(port))[0] == "answers"


async def test_a_server_that_says_nothing() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with serving(serve) as port:
        probe, seen = blamed(await look(port))
    assert (probe, seen) == (
        "answers", f"127.0.0.1 port {port} takes connections and answers nothing within 0.4 s"
    )  # fmt: skip


async def test_success_and_then_nothing_that_makes_sense() -> None:
    """Every call is answered with SUCCESS and zeros: nothing of it is believed, and nothing crashes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(4)) & 0x7FFFFFFF
                call = await reader.readexactly(size)
                reply = call[:4] + (1).to_bytes(4) + bytes(16) + bytes(8)
                writer.write((0x80000000 | len(reply)).to_bytes(4) + reply)
        except asyncio.IncompleteReadError:
            writer.close()

    async with serving(serve) as port:
        report = await look(port)
    assert report.outcome == "failed"
    assert {probe.id: probe.outcome for probe in report.probes}["mount-4.0"] == "failed"


@pytest.mark.skipif(os.geteuid() != 0, reason="a network of one's own takes root")
@pytest.mark.parametrize(
    ("rule", "probe", "words"),
    [
        pytest.param("-p tcp --dport 2049 -j DROP", "nfs-port", "A firewall drops what goes to port 2049.", id="drop"),
        pytest.param("-p tcp -j DROP", "nfs-port", "The host is down, the address is wrong, or a firewall", id="all"),
        pytest.param(
            "-p tcp --dport 2049 -j REJECT --reject-with icmp-host-prohibited",
            "nfs-port",
            "No route leads there, or a firewall rejects it.",
            id="reject",
        ),
    ],
)
def test_a_port_that_is_filtered(rule: str, probe: str, words: str) -> None:
    def inside() -> ShareReport:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["iptables", "-A", "INPUT", *rule.split()], check=True)
        return asyncio.run(verify(ShareAddress("127.0.0.1", "/srv"), deadline=0.3))

    report = in_own_network(inside)
    assert report.culprit is not None
    assert report.culprit.id == probe
    assert report.culprit.finding is not None
    assert report.culprit.finding.why.en.startswith(words)


def in_own_network(job: Callable[[], ShareReport]) -> ShareReport:
    """What job answers in a thread with a network of its own, where nothing is but a loopback device that is down."""

    def run() -> ShareReport:
        if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        return job()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()
