"""What pods will do in the share, tried in a scratch directory that is removed again: write, rename, lock, remove.

As whom: as root, and where root may not, as the owner of the exported directory, which is how Berth works, too.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from berth.doctor.share import locks
from berth.doctor.share.calls import LOCKD, NFS4, connected
from berth.doctor.share.probed import Probed, told
from berth.shares.rpc import ROOT, ConnectFailed, Identity, RpcError
from berth.shares.session import DENIED, GONE, NfsError, Node, Session, Status

T = TypeVar("T")

PREFIX = ".berth-verify-"
"""Of the scratch directory's name, so that a person who finds one knows whose it is."""
CONTENT = b"Written by `berth server verify`, which removes it again.\n"
SOMEBODY = Identity(54321, 54321)
"""A user as pods have them: none that a server knows."""

SAMPLES = 100
SAMPLING = 1.0
"""Seconds after which no more round trips are measured."""
SLOW = 0.02
"""Seconds of the median round trip from which on a share feels slow: metadata takes several of them."""
SCARCE = 0.05
"""The free part of space or inodes from which on it is time to act."""

_FILES = ("written.new", "written", "renamed", "locked.new", "locked")
_OF_SOMEBODY = "of-somebody"
"""What is made in the scratch directory."""
_PAUSE = 0.05

_FULL = frozenset({Status.NOSPC, Status.DQUOT})


class _Judged(Exception):  # noqa: N818
    """A step that failed, with what that means."""

    def __init__(self, probe: Probed, *, is_dead: bool = False) -> None:
        super().__init__(probe.seen.en)
        self.probe = probe
        self.is_dead = is_dead
        """Whether the server has fallen silent or is gone, so that asking for more is waiting in vain."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of working in the share."""

    probes: tuple[Probed, ...]
    is_alive: bool
    """Whether the server still answered in the end."""


@dataclass(slots=True)
class _Scratch:
    """A directory of our own on the share."""

    name: str
    node: Node
    who: Identity
    as_root: bool
    """Whether it could be made as root, squashed or not."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the work is done."""

    session: Session
    share: str
    address: str
    port: int
    lockd: int
    """The port of the lock manager of NFSv3; 0 where there is none."""
    has_statd: bool
    """Whether the server's statd runs, which its lock manager asks before it gives a lock over NFSv3."""
    deadline: float
    """Seconds for each step."""


async def try_out(site: Site) -> Tried:
    """write, squash and lock. Nothing is left on the share, or the results say what."""
    found: list[Probed] = []
    try:
        async with _scratch(site, found) as scratch:
            found.append(await _within(site, _write(site, scratch)))
            found.append(await _squash(site, scratch))
            if found[0].outcome == "passed":
                found.append(await _lock(site, scratch))
    except _Judged as judged:
        probes = (judged.probe, *found) if judged.probe.id == "write" else (*found, judged.probe)
        return Tried(probes, is_alive=not judged.is_dead)
    return Tried(tuple(found), is_alive=True)


async def space(site: Site) -> Probed:
    """Free bytes and inodes, as the server tells them."""
    try:
        async with asyncio.timeout(site.deadline):
            room = await site.session.space()
    except (TimeoutError, NfsError, RpcError) as error:
        return told("space", "unknown", why=_why(error, site.deadline))
    facts = {
        "total_bytes": room.total_bytes,
        "free_bytes": room.free_bytes,
        "total_inodes": room.total_inodes,
        "free_inodes": room.free_inodes,
        "free": size_text(room.free_bytes),
        "total": size_text(room.total_bytes),
        "inodes": f"{room.free_inodes:,}",
    }
    if not room.total_bytes:
        return told("space", "unknown", why="0 bytes")
    if not room.free_bytes or (room.total_inodes and not room.free_inodes):
        return told("space", "none", **facts)
    if room.free_bytes < SCARCE * room.total_bytes:
        return told("space", "scarce", **facts)
    if room.total_inodes and room.free_inodes < SCARCE * room.total_inodes:
        return told("space", "scarce-inodes", **facts)
    return told("space", "known" if room.total_inodes else "known-bytes", **facts)


async def round_trip(site: Site) -> Probed:
    """How long one question takes, asked one after the other."""
    taken: list[float] = []
    began = time.perf_counter()
    try:
        async with asyncio.timeout(site.deadline):
            while len(taken) < SAMPLES and time.perf_counter() - began < SAMPLING:
                asked = time.perf_counter()
                await site.session.attributes(site.session.root.handle)
                taken.append(time.perf_counter() - asked)
    except (TimeoutError, NfsError, RpcError) as error:
        return told("round-trip", "broken", count=len(taken), why=_why(error, site.deadline))
    taken.sort()
    median, late = statistics.median(taken), taken[math.ceil(0.99 * len(taken)) - 1]
    facts = {"median_ms": f"{median * 1e3:.2f}", "p99_ms": f"{late * 1e3:.2f}", "count": len(taken)}
    return told("round-trip", "slow" if median > SLOW else "measured", **facts)


def size_text(size: int) -> str:
    """Bytes as people read them: `140 GiB`."""
    amount = float(size)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024 or unit == "TiB":
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= 1024
    raise AssertionError("unreachable")


@asynccontextmanager
async def _scratch(site: Site, found: list[Probed]) -> AsyncIterator[_Scratch]:
    """The scratch directory; removed in the end with all that is in it, also when we are cancelled."""
    scratch = await _make_scratch(site)
    try:
        yield scratch
    finally:
        left = await _to_the_end(_remove(site, scratch.name, scratch.node.handle, scratch.who))
        if left:
            found.append(told("left-behind", "left", path=scratch.name, share=site.share, why=left))


async def _to_the_end(cleaning: Coroutine[Any, Any, T]) -> T:
    """Cleaning up is the one thing that a first Ctrl-C must not cut short; it has a deadline of its own."""
    return await asyncio.shield(asyncio.create_task(cleaning, name="remove the scratch directory"))


async def _make_scratch(site: Site) -> _Scratch:
    session, name = site.session, PREFIX + secrets.token_hex(4)
    root = session.root
    tried: NfsError | None = None
    for who in dict.fromkeys((ROOT, root.attributes.owner)):
        making = asyncio.create_task(
            session.make_directory(root.handle, name, mode=0o777, uid=None, gid=None, who=who), name="make it"
        )
        try:
            # Shielded: whether the server has made it must be known before it is removed.
            node = await _within(site, asyncio.shield(making))
        except (asyncio.CancelledError, _Judged):
            await _to_the_end(_unmake(site, making, name, who))
            raise
        except NfsError as error:
            if error.code not in DENIED:
                raise _Judged(_write_failed(site, "mkdir", error)) from error
            tried = error
            continue
        return _Scratch(name, node, who, who == ROOT)
    assert tried is not None
    owner, mode = root.attributes.owner, f"{root.attributes.mode:04o}"
    raise _Judged(
        told("write", "squashed", share=site.share, uid=owner.uid, gid=owner.gid, mode=mode, status=tried.name)
    ) from tried


async def _write(site: Site, scratch: _Scratch) -> Probed:
    session, handle, who = site.session, scratch.node.handle, scratch.who
    step = "write"
    try:
        await session.put(handle, "written.new", "written", CONTENT, exclusive=False, who=who)
        step = "rename"
        await session.rename(handle, "written", handle, "renamed", who)
        step = "read"
        nodes, error = await session.walk(handle, ["renamed"], who)
        if error is not None:
            raise error
        content = await session.read(nodes[0].handle, len(CONTENT) + 1, who)
        if content != CONTENT:
            return told("write", "garbled", share=site.share)
        step = "remove"
        await session.remove(handle, "renamed", is_directory=False, who=who)
    except NfsError as error:
        return _write_failed(site, step, error)
    case = "done" if scratch.as_root else "done-by-owner"
    return told("write", case, uid=who.uid, version=session.version)


def _write_failed(site: Site, step: str, error: NfsError) -> Probed:
    facts = {"share": site.share, "step": step, "status": error.name}
    if error.code == Status.ROFS:
        return told("write", "read-only", **facts)
    if error.code in _FULL:
        return told("write", "full", **facts)
    if error.code in GONE:
        return told("write", "stale", **facts)
    if error.code == Status.GRACE:
        return told("write", "grace", **facts)
    return told("write", "refused", **facts)


async def _squash(site: Site, scratch: _Scratch) -> Probed:
    """Whom the server makes of root, and of an ordinary user."""
    session, owner = site.session, scratch.node.attributes.owner
    try:
        node = await _within(
            site,
            session.make_directory(scratch.node.handle, _OF_SOMEBODY, mode=0o755, uid=None, gid=None, who=SOMEBODY),
        )
        somebody = node.attributes.owner
        await _within(site, session.remove(scratch.node.handle, _OF_SOMEBODY, is_directory=True, who=SOMEBODY))
    except (NfsError, _Judged):
        somebody = SOMEBODY
    facts = {"uid": owner.uid, "gid": owner.gid, "somebody": somebody.uid}
    if somebody.uid == owner.uid and somebody.uid != SOMEBODY.uid:
        return told("squash", "all", **facts)
    if not scratch.as_root:
        return told("squash", "root-by-owner", **facts)
    return told("squash", "root" if owner.uid else "none", **facts)


async def _lock(site: Site, scratch: _Scratch) -> Probed:
    version = site.session.version
    facts = {"version": version, "length": locks.LENGTH}
    if version == "3" and not site.lockd:
        return told("lock", "no-manager", **facts)
    try:
        kept = await _within(site, _try_lock(site, scratch))
    except _Judged as judged:
        if version == "3" and not site.has_statd:
            return told("lock", "no-statd", **facts)
        return told("lock", "silent", **facts, port=site.lockd or site.port, why=judged.probe.seen.en)
    except ConnectFailed as error:
        return told("lock", "shut", **facts, port=site.lockd, status=error.status)
    except (NfsError, RpcError) as error:
        return told("lock", "broken", **facts, status=str(error))
    if kept is locks.Kept.REFUSED and version == "3" and not site.has_statd:
        return told("lock", "no-statd", **facts)
    return told("lock", kept.value, **facts)


async def _try_lock(site: Site, scratch: _Scratch) -> locks.Kept:
    session, handle, who = site.session, scratch.node.handle, scratch.who
    await session.put(handle, "locked.new", "locked", b"0123456789", exclusive=False, who=who)
    if session.version == "3":
        nodes, error = await session.walk(handle, ["locked"], who)
        if error is not None:
            raise error
        async with connected(site.address, site.lockd, LOCKD) as lockd:
            return await locks.try_nlm(lockd, nodes[0].handle)
    async with connected(site.address, site.port, NFS4) as connection:
        return await locks.try_nfs4(connection, handle, "locked", who)


async def _unmake(site: Site, making: asyncio.Task[Node], name: str, who: Identity) -> None:
    """Removes a directory of which it is not known yet whether it was made."""
    done, _ = await asyncio.wait({making}, timeout=site.deadline)
    if done and making.exception() is None:
        await _remove(site, name, making.result().handle, who)
    making.cancel()


async def _remove(site: Site, name: str, handle: bytes, who: Identity) -> str:
    """Removes the scratch directory with all that may be in it. Empty, or why something is left."""
    session = site.session
    try:
        async with asyncio.timeout(site.deadline):
            while True:
                for each in _FILES:
                    with suppress(NfsError):
                        await session.remove(handle, each, is_directory=False, who=who)
                with suppress(NfsError):
                    await session.remove(handle, _OF_SOMEBODY, is_directory=True, who=who)
                try:
                    await session.remove(session.root.handle, name, is_directory=True, who=who)
                except NfsError as error:
                    # What was under way when we were cancelled may be carried out only now.
                    if error.code != Status.NOTEMPTY:
                        raise
                else:
                    return ""
                await asyncio.sleep(_PAUSE)
    except (TimeoutError, NfsError, RpcError) as error:
        return _why(error, site.deadline)


async def _within(site: Site, step: Awaitable[T]) -> T:
    """One step with its deadline. _Judged when no answer comes."""
    try:
        async with asyncio.timeout(site.deadline):
            return await step
    except TimeoutError as error:
        silent = told("write", "silent", share=site.share, deadline=f"{site.deadline:g}")
        raise _Judged(silent, is_dead=True) from error
    except RpcError as error:
        if isinstance(error, ConnectFailed):
            raise
        raise _Judged(told("write", "broken", share=site.share, why=str(error)), is_dead=True) from error


def _why(error: Exception, deadline: float) -> str:
    return f"no answer within {deadline:g} s" if isinstance(error, TimeoutError) else str(error)
