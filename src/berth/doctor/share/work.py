"""What pods will do in the share, tried in a scratch directory that is removed again: write, rename, lock, remove.

As whom: as root, and where root may not, as the owner of the exported directory, which is how Berth works, too.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import statistics
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

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

_FULL = frozenset({Status.NOSPC, Status.DQUOT})


class _Judged(Exception):  # noqa: N818
    """A step that failed, with what that means."""

    def __init__(self, probe: Probed) -> None:
        super().__init__(probe.seen.en)
        self.probe = probe


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
    deadline: float
    """Seconds for each step."""


async def try_out(site: Site) -> list[Probed]:
    """write, squash and lock. Nothing is left on the share, or the results say what."""
    found: list[Probed] = []
    try:
        async with _scratch(site, found) as scratch:
            try:
                found.append(await _within(site, _write(site, scratch)))
            except _Judged as judged:
                found.append(judged.probe)
            found.append(await _squash(site, scratch))
            if found[0].outcome == "passed":
                found.append(await _lock(site, scratch))
    except _Judged as judged:
        found.append(judged.probe)
    return found


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
        # Shielded from a first Ctrl-C, and with a deadline: cleaning up is the one thing that must not be cut short.
        left = await asyncio.shield(asyncio.create_task(_remove(site, scratch), name="remove the scratch directory"))
        if left:
            found.append(told("left-behind", "left", path=scratch.name, share=site.share, why=left))


async def _make_scratch(site: Site) -> _Scratch:
    session, name = site.session, PREFIX + secrets.token_hex(4)
    root = session.root
    tried: NfsError | None = None
    for who in dict.fromkeys((ROOT, root.attributes.owner)):
        making = session.make_directory(root.handle, name, mode=0o777, uid=None, gid=None, who=who)
        try:
            node = await _within(site, making)
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
            session.make_directory(scratch.node.handle, "of-somebody", mode=0o755, uid=None, gid=None, who=SOMEBODY),
        )
        somebody = node.attributes.owner
        await _within(site, session.remove(scratch.node.handle, "of-somebody", is_directory=True, who=SOMEBODY))
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
        return told("lock", "silent", **facts, port=site.lockd or site.port, why=judged.probe.seen.en)
    except ConnectFailed as error:
        return told("lock", "shut", **facts, port=site.lockd, status=error.status)
    except (NfsError, RpcError) as error:
        return told("lock", "refused", **facts, status=str(error))
    status = "NLM4_DENIED_NOLOCKS" if kept is locks.Kept.REFUSED and version == "3" else ""
    return told("lock", kept.value, **facts, status=status)


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


async def _remove(site: Site, scratch: _Scratch) -> str:
    """Removes the scratch directory with all that may be in it. Empty, or why something is left."""
    session, who = site.session, scratch.who
    try:
        async with asyncio.timeout(site.deadline):
            for name in ("written.new", "written", "renamed", "locked.new", "locked"):
                with suppress(NfsError):
                    await session.remove(scratch.node.handle, name, is_directory=False, who=who)
            with suppress(NfsError):
                await session.remove(scratch.node.handle, "of-somebody", is_directory=True, who=who)
            await session.remove(session.root.handle, scratch.name, is_directory=True, who=who)
    except (TimeoutError, NfsError, RpcError) as error:
        return _why(error, site.deadline)
    return ""


async def _within(site: Site, step: Awaitable[T]) -> T:
    """One step with its deadline. _Judged when no answer comes."""
    try:
        async with asyncio.timeout(site.deadline):
            return await step
    except TimeoutError as error:
        raise _Judged(told("write", "silent", share=site.share, deadline=f"{site.deadline:g}")) from error
    except RpcError as error:
        if isinstance(error, ConnectFailed):
            raise
        raise _Judged(told("write", "broken", share=site.share, why=str(error))) from error


def _why(error: Exception, deadline: float) -> str:
    return f"no answer within {deadline:g} s" if isinstance(error, TimeoutError) else str(error)
