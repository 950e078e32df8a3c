"""A directory of our own on a share, which is removed again whatever happens; and what a step in it may end with."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from berth.doctor.share.probed import Probed, wrong
from berth.nfs import DENIED, GONE, ROOT, ConnectFailed, Identity, NfsError, NfsNode, RpcError, Session, Status

T = TypeVar("T")

PREFIX = ".berth-verify-"
"""Of the scratch directory's name, so that a person who finds one knows whose it is."""
OF_SOMEBODY = "of-somebody"
"""A directory in it."""

_FILES = ("written.new", "written", "renamed", "locked.new", "locked")
"""All files that may be in it."""
_PAUSE = 0.05
"""Seconds before removing is tried again."""

_FULL = frozenset({Status.NOSPC, Status.DQUOT})


class Judged(Exception):  # noqa: N818
    """A step that failed, with what that means."""

    def __init__(self, probe: Probed, *, is_dead: bool = False) -> None:
        super().__init__(probe.seen.en)
        self.probe = probe
        self.is_dead = is_dead
        """Whether the server has fallen silent or is gone, so that asking for more is waiting in vain."""


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


@dataclass(slots=True)
class Scratch:
    """A directory of our own on the share."""

    name: str
    node: NfsNode
    who: Identity
    as_root: bool
    """Whether it could be made as root, squashed or not."""


@asynccontextmanager
async def scratch_directory(site: Site, found: list[Probed]) -> AsyncIterator[Scratch]:
    """The scratch directory; removed in the end with all that is in it, also when we are cancelled."""
    scratch = await _make_scratch(site)
    try:
        yield scratch
    finally:
        left = await _to_the_end(_remove(site, scratch.name, scratch.node.handle, scratch.who))
        if left:
            found.append(wrong("left-behind", "left", path=scratch.name, share=site.share, why=left))


async def _to_the_end(cleaning: Coroutine[Any, Any, T]) -> T:
    """Cleaning up is the one thing that a first Ctrl-C must not cut short; it has a deadline of its own."""
    return await asyncio.shield(asyncio.create_task(cleaning, name="remove the scratch directory"))


async def _make_scratch(site: Site) -> Scratch:
    session, name = site.session, PREFIX + secrets.token_hex(4)
    root = session.root
    tried: NfsError | None = None
    for who in dict.fromkeys((ROOT, root.attributes.owner)):
        making = asyncio.create_task(
            session.make_directory(root.handle, name, mode=0o777, uid=None, gid=None, who=who), name="make it"
        )
        try:
            # Shielded: whether the server has made it must be known before it is removed.
            node = await within(site, asyncio.shield(making))
        except (asyncio.CancelledError, Judged):
            await _to_the_end(_unmake(site, making, name, who))
            raise
        except NfsError as error:
            if error.code not in DENIED:
                raise Judged(write_failed(site, "mkdir", error)) from error
            tried = error
            continue
        return Scratch(name, node, who, who == ROOT)
    assert tried is not None
    owner, mode = root.attributes.owner, f"{root.attributes.mode:04o}"
    raise Judged(
        wrong("write", "squashed", share=site.share, uid=owner.uid, gid=owner.gid, mode=mode, status=tried.name)
    ) from tried


def write_failed(site: Site, step: str, error: NfsError) -> Probed:
    facts = {"share": site.share, "step": step, "status": error.name}
    if error.code == Status.ROFS:
        return wrong("write", "read-only", **facts)
    if error.code in _FULL:
        return wrong("write", "full", **facts)
    if error.code in GONE:
        return wrong("write", "stale", **facts)
    if error.code == Status.GRACE:
        return wrong("write", "grace", **facts)
    return wrong("write", "refused", **facts)


async def _unmake(site: Site, making: asyncio.Task[NfsNode], name: str, who: Identity) -> None:
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
                    await session.remove(handle, OF_SOMEBODY, is_directory=True, who=who)
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
        return why(error, site.deadline)


async def within(site: Site, step: Awaitable[T]) -> T:
    """One step with its deadline. Judged when no answer comes."""
    try:
        async with asyncio.timeout(site.deadline):
            return await step
    except TimeoutError as error:
        silent = wrong("write", "silent", share=site.share, deadline=f"{site.deadline:g}")
        raise Judged(silent, is_dead=True) from error
    except RpcError as error:
        if isinstance(error, ConnectFailed):
            raise
        raise Judged(wrong("write", "broken", share=site.share, why=str(error)), is_dead=True) from error


def why(error: Exception, deadline: float) -> str:
    return f"no answer within {deadline:g} s" if isinstance(error, TimeoutError) else str(error)
