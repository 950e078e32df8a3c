"""What pods will do in the share, tried in a scratch directory that is removed again: write, rename, lock, remove.

As whom: as root, and where root may not, as the owner of the exported directory, which is how Berth works, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from berth.doctor.share.probed import Probed, passed, skipped, wrong
from berth.doctor.share.scratch import OF_SOMEBODY, Judged, Scratch, Site, scratch_directory, within, write_failed
from berth.nfs import LOCKD, NFS4, ConnectFailed, Identity, NfsError, RpcError, connected, locks

T = TypeVar("T")

CONTENT = b"Written by `berth server verify`, which removes it again.\n"
SOMEBODY = Identity(54321, 54321)
"""A user as pods have them: none that a server knows."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of working in the share."""

    probes: tuple[Probed, ...]
    is_alive: bool
    """Whether the server still answered in the end."""


async def try_out(site: Site) -> Trial:
    """write, squash and lock. Nothing is left on the share, or the results say what."""
    found: list[Probed] = []
    try:
        async with scratch_directory(site, found) as scratch:
            found.append(await within(site, _write(site, scratch)))
            found.append(await _squash(site, scratch))
            if found[0].outcome == "passed":
                found.append(await _lock(site, scratch))
    except Judged as judged:
        probes = (judged.probe, *found) if judged.probe.id == "write" else (*found, judged.probe)
        return Trial(probes, is_alive=not judged.is_dead)
    return Trial(tuple(found), is_alive=True)


async def _write(site: Site, scratch: Scratch) -> Probed:
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
            return wrong("write", "garbled", share=site.share)
        step = "remove"
        await session.remove(handle, "renamed", is_directory=False, who=who)
    except NfsError as error:
        return write_failed(site, step, error)
    case = "done" if scratch.as_root else "done-by-owner"
    return passed("write", case, uid=who.uid, version=session.version)


async def _squash(site: Site, scratch: Scratch) -> Probed:
    """Whom the server makes of root, and of an ordinary user."""
    session, owner = site.session, scratch.node.attributes.owner
    try:
        node = await within(
            site,
            session.make_directory(scratch.node.handle, OF_SOMEBODY, mode=0o755, uid=None, gid=None, who=SOMEBODY),
        )
        somebody = node.attributes.owner
        await within(site, session.remove(scratch.node.handle, OF_SOMEBODY, is_directory=True, who=SOMEBODY))
    except (NfsError, Judged):
        somebody = SOMEBODY
    facts = {"uid": owner.uid, "gid": owner.gid, "somebody": somebody.uid}
    if somebody.uid == owner.uid and somebody.uid != SOMEBODY.uid:
        return wrong("squash", "all", **facts)
    if not scratch.as_root:
        return passed("squash", "root-by-owner", **facts)
    return passed("squash", "root" if owner.uid else "none", **facts)


async def _lock(site: Site, scratch: Scratch) -> Probed:
    version = site.session.version
    facts: dict[str, str | int] = {"version": version, "length": locks.LENGTH}
    if version == "3" and not site.lockd:
        return wrong("lock", "no-manager", **facts)
    try:
        kept = await within(site, _try_lock(site, scratch))
    except Judged as judged:
        if version == "3" and not site.has_statd:
            return wrong("lock", "no-statd", **facts)
        return wrong("lock", "silent", **facts, port=site.lockd or site.port, why=judged.probe.seen)
    except ConnectFailed as error:
        return wrong("lock", "shut", **facts, port=site.lockd, status=error.status)
    except (NfsError, RpcError) as error:
        return wrong("lock", "broken", **facts, status=str(error))
    if kept is locks.Kept.REFUSED and version == "3" and not site.has_statd:
        return wrong("lock", "no-statd", **facts)
    if kept is locks.Kept.KEPT:
        return passed("lock", "kept", **facts)
    if kept is locks.Kept.GRACE:
        return skipped("lock", "grace", **facts)
    return wrong("lock", kept.value, **facts)


async def _try_lock(site: Site, scratch: Scratch) -> locks.Kept:
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
