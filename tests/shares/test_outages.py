"""A server that stops in the middle: deadlines hold, the loop goes on, others are served, and it all comes back."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress

import pytest

from berth.nfs import Resolver
from berth.shares.direct.share import DirectShare
from berth.volumes.errors import Unavailable, VolumeError
from berth.volumes.share import ShareAddress
from devcluster.ganesha import GaneshaServer
from tests.conformance.places import address
from tests.shares.link import Link
from tests.shares.watch import answers, descriptors, threads, watched_loop

OpenShare = Callable[..., DirectShare]
DEADLINE = 3.0
BLOCKED = 1.5
"""Seconds that a busy machine may keep the loop waiting; a call that blocked it would take the whole deadline."""


async def fails(work: Awaitable[object]) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        await work
    return caught.value


async def test_calls_in_flight_fail_at_the_deadline_while_the_loop_goes_on(
    server: GaneshaServer, open_share: OpenShare, version: str
) -> None:
    async with aclosing(open_share("/free", version, deadline=DEADLINE)) as share:
        await share.stat("")
        server.pause()
        try:
            async with watched_loop() as lag:
                began = time.monotonic()
                calls = [asyncio.ensure_future(share.make_directory(f"d{number}", mode=0o755)) for number in range(64)]
                failures = await asyncio.gather(*map(fails, calls))
                took = time.monotonic() - began
        finally:
            server.resume()
        assert {failure.stage for failure in failures} == {"timeout"}
        assert {failure.status for failure in failures} == {"ETIMEDOUT"}
        assert DEADLINE / 2 < took < 10 * DEADLINE  # one after another they would take 64 of them
        assert lag.longest < BLOCKED
        async with asyncio.timeout(60):
            while not await answers(share):
                pass
    # What was asked for may have been done after all; it can be asked for again.
    async with aclosing(open_share("/free", version, deadline=60)) as share:
        await asyncio.gather(*(share.make_directory(f"d{number}", mode=0o755) for number in range(64)))
        assert len(await share.list("")) == 64
        assert all(await asyncio.gather(*(share.remove_directory(f"d{number}") for number in range(64))))


async def test_a_share_that_hangs_holds_up_nobody_who_has_work_elsewhere(
    server: GaneshaServer, open_share: OpenShare, version: str
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        port = silent.getsockname()[1]
        dead = DirectShare(
            ShareAddress("127.0.0.1", "/dead", version=version, port=port, mountport=port),
            Resolver(),
            deadline=DEADLINE,
        )
        async with aclosing(dead), aclosing(open_share("/free", version)) as alive, watched_loop() as lag:
            waiting = [asyncio.ensure_future(dead.stat("")) for _ in range(64)]
            served = 0
            while not all(call.done() for call in waiting):
                assert (await alive.make_directory("served", mode=0o755)).is_new
                assert await alive.remove_directory("served")
                served += 1
            assert {failure.stage for failure in await asyncio.gather(*map(fails, waiting))} == {"timeout"}
        assert served > 10
        assert lag.longest < BLOCKED


async def test_while_a_share_is_down_only_one_call_at_a_time_waits_for_it(version: str) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        port = silent.getsockname()[1]
        target = ShareAddress("127.0.0.1", "/dead", version=version, port=port, mountport=port)
        async with aclosing(DirectShare(target, Resolver(), deadline=DEADLINE)) as share:
            await fails(asyncio.ensure_future(share.stat("")))
            scout = asyncio.ensure_future(share.stat(""))
            await asyncio.sleep(0)
            for _ in range(100):
                failure = await fails(asyncio.ensure_future(share.stat("")))
                assert (failure.stage, failure.share) == ("timeout", str(target))
            assert not scout.done()
            await fails(scout)


async def test_a_paused_server_is_served_from_again_once_it_goes_on(
    server: GaneshaServer, open_share: OpenShare, version: str
) -> None:
    async with aclosing(open_share("/free", version, deadline=0.5)) as share:
        server.pause()
        try:
            for _ in range(3):
                assert (await fails(asyncio.ensure_future(share.stat("")))).stage == "timeout"
        finally:
            server.resume()
        server.wait_ready()
        assert (await share.stat("")).kind == "directory"


async def test_a_killed_server_is_told_at_once_and_found_again(
    server: GaneshaServer, open_share: OpenShare, version: str
) -> None:
    async with aclosing(open_share("/free", version, deadline=5.0)) as share:
        await share.make_directory("before", mode=0o755)
        await asyncio.to_thread(server.kill)
        failure = await fails(asyncio.ensure_future(share.stat("before")))
        assert failure.stage == "connect"  # after its deadline it would be `timeout`
        await asyncio.to_thread(server.start)
        assert (await share.stat("before")).mode == 0o755
        await share.write_file("after", b"content")  # over v4, the restarted server knows no client any more
        assert await share.read_file("after") == b"content"
        await share.remove_directory("before")
    (server.directory_of("/free") / "after").unlink()


async def test_a_server_that_dies_during_a_call_breaks_it_off(server: GaneshaServer, version: str) -> None:
    async with (
        Link(server.host, server.port) as nfs,
        Link(server.host, server.mountport) as mountd,
        aclosing(via(nfs, mountd, version)) as share,
    ):
        await share.stat("")
        nfs.is_silent = True
        calls = [asyncio.ensure_future(share.make_directory(f"x{number}", mode=0o755)) for number in range(8)]
        await asyncio.sleep(0)
        nfs.cut()
        failures = await asyncio.gather(*map(fails, calls))
        assert {failure.stage for failure in failures} == {"io"}
        assert all("connection" in failure.why for failure in failures)
        nfs.is_silent = False
        assert (await share.stat("")).kind == "directory"
        for number in range(8):
            await share.remove_directory(f"x{number}")


async def test_one_call_that_is_not_answered_does_not_end_the_others(server: GaneshaServer) -> None:
    """Only the replies to the calls about `lost` are held back; whoever else asks is answered."""
    (server.directory_of("/free") / "lost").mkdir(exist_ok=True)
    async with (
        Link(server.host, server.port) as nfs,
        Link(server.host, server.mountport) as mountd,
        aclosing(via(nfs, mountd, "4", deadline=1.0)) as share,
    ):
        await share.stat("")
        connections = nfs.connections
        nfs.is_silent = True
        lost = asyncio.ensure_future(share.list("lost"))
        await asyncio.sleep(0.2)
        nfs.is_silent = False
        while not lost.done():
            await share.stat("")
        assert (await fails(lost)).stage == "timeout"
        await share.stat("")
        assert nfs.connections == connections


async def test_a_cancelled_call_leaves_a_share_that_works(open_share: OpenShare, version: str) -> None:
    async with aclosing(open_share("/free", version)) as share:
        await share.stat("")
        for turns in range(40):
            task = asyncio.create_task(share.write_file(f"cancelled-{turns}", b"x" * 5000))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await share.write_file("whole", b"content")
        assert await share.read_file("whole") == b"content"


async def test_a_call_cancelled_while_mounting_does_not_disturb_the_others(open_share: OpenShare, version: str) -> None:
    async with aclosing(open_share("/free", version)) as share:
        first, second = asyncio.create_task(share.stat("")), asyncio.create_task(share.stat(""))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).kind == "directory"
        assert first.cancelled()


async def test_opening_and_closing_leaves_nothing_behind(server: GaneshaServer, version: str) -> None:
    resolver = Resolver()
    before, known_threads = descriptors(), threads("")
    for _ in range(50):
        async with aclosing(DirectShare(address(server, "/free", version), resolver)) as share:
            await share.stat("")
    assert descriptors() == before
    assert threads("") == known_threads


async def test_failing_leaves_nothing_behind(server: GaneshaServer, version: str) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as silent:
        port = silent.getsockname()[1]
        resolver, before = Resolver(), descriptors()
        for export, where in (("/wrong", address(server, "/wrong", version)), ("/dead", None)):
            target = where or ShareAddress("127.0.0.1", export, version=version, port=port, mountport=port)
            async with aclosing(DirectShare(target, resolver, deadline=0.1)) as share:
                for _ in range(20):
                    with pytest.raises(VolumeError):
                        await share.stat("")
            assert descriptors() == before


async def test_closing_while_calls_are_under_way(server: GaneshaServer, open_share: OpenShare, version: str) -> None:
    share = open_share("/free", version, deadline=30.0)
    await share.stat("")
    before = descriptors()
    server.pause()
    try:
        calls = [asyncio.ensure_future(share.stat("")) for _ in range(16)]
        await asyncio.sleep(0.05)
        await share.aclose()
        assert {failure.stage for failure in await asyncio.gather(*map(fails, calls))} == {"io"}
    finally:
        server.resume()
    assert descriptors() == before - 1


async def test_an_idle_connection_is_closed_and_made_again(open_share: OpenShare, version: str) -> None:
    async with aclosing(open_share("/free", version, idle=0.2)) as share:
        before = descriptors()
        await share.stat("")
        assert descriptors() == before + 1
        async with asyncio.timeout(10):
            while descriptors() > before:  # noqa: ASYNC110 - the kernel sets no event
                await asyncio.sleep(0.05)
        assert (await share.stat("")).kind == "directory"


def via(nfs: Link, mountd: Link, version: str, **options: float) -> DirectShare:
    """The export `/free` through a link."""
    target = ShareAddress("127.0.0.1", "/free", version=version, port=nfs.port, mountport=mountd.port)
    return DirectShare(target, Resolver(), **options)  # type: ignore[arg-type]
