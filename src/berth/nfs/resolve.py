"""Server names to addresses: with a deadline, remembered for a while, one question at a time per name."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from dataclasses import dataclass
from functools import lru_cache

from berth.aio.threads import Threads, ThreadsStuck

REMEMBERED = 30.0
"""Seconds that an answer is used again. Short: a server that failed over to another address must be found."""
LOOKUPS_AT_ONCE = 16
"""Threads, started as needed. A name that nobody answers for keeps one, until the system's resolver gives up."""


class Unresolved(Exception):  # noqa: N818
    """The name has no address, or nobody said so in time. why: for people; status: the resolver's own name for it."""

    def __init__(self, name: str, why: str, status: str = "") -> None:
        super().__init__(f"{name!r}: {why}")
        self.name = name
        self.why = why
        self.status = status


@dataclass(frozen=True, slots=True)
class _Known:
    addresses: tuple[str, ...]
    until: float


class Resolver:
    """Shared by all shares of a process."""

    def __init__(self, *, deadline: float = 5.0) -> None:
        """deadline: seconds for one look-up."""
        self._deadline = deadline
        self._threads = Threads("resolver", LOOKUPS_AT_ONCE)
        self._known: dict[str, _Known] = {}
        self._asking: dict[str, asyncio.Task[tuple[str, ...]]] = {}
        self._hanging: set[str] = set()
        """Names that a thread is asking for, also those for which nobody waits any more."""

    async def addresses(self, name: str) -> tuple[str, ...]:
        """Numeric addresses of a server, in the resolver's order; a numeric one is its own. Unresolved otherwise."""
        key = spelling(name)
        if _literal(key):
            return (key,)
        known = self._known.get(key)
        if known is not None and known.until > time.monotonic():
            return known.addresses
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(key), name=f"resolve {key}")
            self._asking[key] = task
            task.add_done_callback(lambda done: self._on_answer(key, done))
        # Shielded: whoever asked first may be cancelled while others wait for the same answer.
        return await asyncio.shield(task)

    async def is_same(self, one: str, other: str) -> bool:
        """Whether two spellings are one server: equal names, or an address in common. False if that is unknown."""
        if spelling(one) == spelling(other):
            return True
        try:
            ours, theirs = await asyncio.gather(self.addresses(one), self.addresses(other))
        except Unresolved:
            return False
        return not set(ours).isdisjoint(theirs)

    async def aclose(self) -> None:
        for task in tuple(self._asking.values()):
            task.cancel()
        self._threads.close()

    def _on_answer(self, key: str, task: asyncio.Task[tuple[str, ...]]) -> None:
        self._asking.pop(key, None)
        if not task.cancelled() and task.exception() is None:
            self._known[key] = _Known(task.result(), time.monotonic() + REMEMBERED)

    async def _ask(self, name: str) -> tuple[str, ...]:
        try:
            if name in self._hanging:  # asked again and again, one name would take all the threads
                raise TimeoutError
            async with asyncio.timeout(self._deadline):
                return await self._threads.run(lambda: self._look_up(name))
        except (TimeoutError, ThreadsStuck) as error:
            known = self._known.get(name)
            if known is not None:  # nobody says that it is no longer so
                return known.addresses
            raise Unresolved(name, f"the resolver gave no answer within {self._deadline:g} s", "ETIMEDOUT") from error
        except socket.gaierror as error:
            code = _GAI_NAMES.get(error.errno or 0, "")
            why = "no such name" if code in ("EAI_NONAME", "EAI_NODATA") else str(error.strerror or error).lower()
            raise Unresolved(name, why, code) from error
        except (OSError, UnicodeError) as error:
            raise Unresolved(name, f"can't be looked up ({error})") from error

    def _look_up(self, name: str) -> tuple[str, ...]:
        self._hanging.add(name)
        try:
            return _look_up(name)
        finally:
            self._hanging.discard(name)


def _look_up(name: str) -> tuple[str, ...]:
    answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))


def spelling(name: str) -> str:
    """The one spelling of a server's name or address. `[::1]` is how an address is written in front of an export."""
    return _literal(name) or name.lower().rstrip(".")


@lru_cache(maxsize=1024)
def _literal(name: str) -> str:
    """A numeric address in its one spelling, empty for a name."""
    try:
        return str(ipaddress.ip_address(name.removeprefix("[").removesuffix("]")))
    except ValueError:
        return ""


_GAI_NAMES = {getattr(socket, name): name for name in dir(socket) if name.startswith("EAI_")}
