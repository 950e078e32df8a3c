"""Server names: looked up with a deadline, once for all who ask, and compared without waiting."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from berth.nfs import resolve
from berth.nfs.resolve import LOOKUPS_AT_ONCE, Resolver, Unresolved
from berth.nfs.servers import Servers


class Names:
    """What the system's resolver answers, in place of the real one, which no test can make slow."""

    def __init__(self) -> None:
        self.known = {
            "one.example": ["10.0.0.1"],
            "two.example": ["10.0.0.2", "10.0.0.1"],
            "three.example": ["10.0.0.3"],
        }
        self.asked: list[str] = []
        self.hang = threading.Event()
        self.hang.set()

    def look_up(self, name: str, *_arguments: object, **_options: object) -> list[tuple[Any, ...]]:
        self.asked.append(name)
        self.hang.wait()
        if name not in self.known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in self.known[name]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    names = Names()
    monkeypatch.setattr(socket, "getaddrinfo", names.look_up)
    yield names
    names.hang.set()


async def test_localhost_is_resolved_for_real() -> None:
    resolver = Resolver()
    assert set(await resolver.addresses("localhost")) <= {"127.0.0.1", "::1"}
    await resolver.aclose()


@pytest.mark.parametrize(
    ("name", "address"), [("10.1.2.3", "10.1.2.3"), ("[fe80::1]", "fe80::1"), ("2001:DB8:0::1", "2001:db8::1")]
)
async def test_addresses_are_their_own_answer(names: Names, name: str, address: str) -> None:
    assert await Resolver().addresses(name) == (address,)
    assert names.asked == []


async def test_many_who_ask_at_once_ask_once_and_the_answer_is_remembered(names: Names) -> None:
    resolver = Resolver()
    answers = await asyncio.gather(
        *(resolver.addresses(name) for name in ("two.example", "TWO.example.", "two.Example"))
    )
    assert set(answers) == {("10.0.0.2", "10.0.0.1")}
    await resolver.addresses("two.example")
    assert names.asked == ["two.example"]
    await resolver.aclose()


async def test_one_who_gives_up_does_not_spoil_it_for_the_others(names: Names) -> None:
    resolver = Resolver()
    names.hang.clear()
    first = asyncio.create_task(resolver.addresses("one.example"))
    second = asyncio.create_task(resolver.addresses("one.example"))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    names.hang.set()
    assert await second == ("10.0.0.1",)
    await resolver.aclose()


async def test_an_unknown_name_is_told_and_not_remembered(names: Names) -> None:
    resolver = Resolver()
    with pytest.raises(Unresolved, match="late") as caught:
        await resolver.addresses("late.example")
    assert caught.value.status == "EAI_NONAME"
    names.known["late.example"] = ["10.0.0.9"]
    assert await resolver.addresses("late.example") == ("10.0.0.9",)
    await resolver.aclose()


async def test_a_resolver_that_hangs_costs_the_deadline_and_no_more_threads_than_it_has(names: Names) -> None:
    resolver = Resolver(deadline=0.1)
    names.hang.clear()
    began = time.monotonic()
    for number in range(LOOKUPS_AT_ONCE + 8):
        with pytest.raises(Unresolved, match=r"no answer within 0\.1 s"):
            await resolver.addresses(f"{number}.example")
    assert time.monotonic() - began < 30
    assert len(names.asked) == LOOKUPS_AT_ONCE
    names.hang.set()
    await resolver.aclose()


async def test_a_name_that_nobody_answers_for_takes_one_thread_however_often_it_is_asked(names: Names) -> None:
    resolver = Resolver(deadline=0.05)
    names.hang.clear()
    for _ in range(2 * LOOKUPS_AT_ONCE):
        with pytest.raises(Unresolved, match="no answer within"):
            await resolver.addresses("dead.example")
    assert names.asked == ["dead.example"]
    names.hang.set()
    assert await resolver.addresses("one.example") == ("10.0.0.1",)
    await resolver.aclose()


async def test_what_was_known_goes_on_while_nobody_answers(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "REMEMBERED", 0.0)
    resolver = Resolver(deadline=0.05)
    assert await resolver.addresses("one.example") == ("10.0.0.1",)
    names.hang.clear()
    assert await resolver.addresses("one.example") == ("10.0.0.1",)
    assert names.asked == ["one.example", "one.example"]
    names.hang.set()
    await resolver.aclose()


async def test_servers_are_the_same_by_spelling_or_by_address(names: Names) -> None:
    resolver = Resolver()
    assert await resolver.is_same("NFS.example", "nfs.example.")
    assert await resolver.is_same("one.example", "two.example")
    assert not await resolver.is_same("one.example", "three.example")
    assert await resolver.is_same("one.example", "10.0.0.1")
    assert not await resolver.is_same("one.example", "unknown.example")
    await resolver.aclose()


async def test_servers_are_compared_without_waiting(names: Names) -> None:
    resolver = Resolver(deadline=0.2)
    servers = Servers(resolver)
    # Nothing is known yet: what must be kept apart is kept apart.
    assert servers.is_same("one.example", "three.example")
    assert servers.is_same("one.example", "ONE.example")
    running = asyncio.create_task(servers.run())
    await servers.wait_settled()
    assert not servers.is_same("one.example", "three.example")
    for name in ("two.example", "unknown.example", "10.0.0.2"):
        servers.learn(name)
    await servers.wait_settled()
    assert servers.is_same("one.example", "two.example")
    assert servers.is_same("two.example", "10.0.0.2")
    assert not servers.is_same("one.example", "10.0.0.2")
    assert not servers.is_same("one.example", "unknown.example")
    names.hang.clear()
    servers.learn("slow.example")
    await servers.wait_settled()
    assert servers.is_same("one.example", "slow.example")
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    names.hang.set()
    await resolver.aclose()
