"""What a direct share changes: directories made, files written, volumes moved, empty things removed.

Each function is given the parts of paths that have been checked already; NfsError, Denied and RpcError pass through it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from berth.nfs import DENIED, ROOT, Identity, LookThen, NfsError, NfsNode, OpenThen, RemoveThen, RootGone, Status
from berth.shares.direct.move import move
from berth.shares.direct.tree import Denied, Tree, entry_of, refuse_detour
from berth.volumes.errors import Missing, Refused, Taken
from berth.volumes.share import Entry, Made

PARENT_MODE = 0o755
NOT_EMPTY = frozenset({Status.NOTEMPTY, Status.EXIST})
"""EXIST is what some servers say of removing a directory that is not empty."""


async def make_directory(
    tree: Tree, parts: Sequence[str], *, mode: int, uid: int | None, gid: int | None, adopt: bool
) -> Made:
    """See Share.make_directory."""
    parent = tree.session.root
    found = await tree.find(parts[:-1])
    if found:
        parent = found[-1]
    for depth in range(len(found) + 1, len(parts)):
        parent, _ = await _make(tree, parent, parts[:depth], mode=PARENT_MODE, uid=None, gid=None, adopt=False)
    node, is_new = await _make(tree, parent, parts, mode=mode, uid=uid, gid=gid, adopt=adopt)
    tree.is_bare = False  # what can be made in is there
    return Made(is_new, entry_of(node, parts[-1]))


async def _make(
    tree: Tree, parent: NfsNode, parts: Sequence[str], *, mode: int, uid: int | None, gid: int | None, adopt: bool
) -> tuple[NfsNode, bool]:
    """The directory that is the last of parts, and whether it is new."""
    session, name = tree.session, parts[-1]
    try:
        node = await tree.within(
            parent,
            lambda who: session.make_directory(parent.handle, name, mode=mode, uid=uid, gid=gid, who=who),
        )
    except NfsError as error:
        if error.code == Status.NOENT:  # nothing can be made in a directory that was removed meanwhile
            raise RootGone(error.name) if parent is session.root else NfsError(Status.STALE, error.name) from error
        if error.code != Status.EXIST:
            raise
        node = await tree.look(parent, name)
        refuse_detour(node, parts, len(parts))
        if node.attributes.kind != "directory":
            raise Refused("/".join(parts), f"exists on share {tree.share}, and is no directory") from error
        if adopt:
            node = await _settle(tree, parent, name, node, mode=mode, uid=uid, gid=gid)
        return node, False
    try:
        return await _settle(tree, parent, name, node, mode=mode, uid=uid, gid=gid), True
    except (NfsError, Denied):
        # Left as it is, the next attempt would take it for somebody else's and be content with it.
        with suppress(NfsError, Denied):
            await _remove(tree, parent, name, is_directory=True)
        raise


async def _settle(
    tree: Tree, parent: NfsNode, name: str, node: NfsNode, *, mode: int, uid: int | None, gid: int | None
) -> NfsNode:
    """Gives a directory the mode and owner it should have, where the server made it otherwise. What it is then."""
    have = node.attributes
    gives = (uid is not None and have.uid != uid) or (gid is not None and have.gid != gid)
    if gives:
        try:
            await tree.within(node, lambda who: tree.session.change(node.handle, uid=uid, gid=gid, who=who))
            have = replace(have, uid=have.uid if uid is None else uid, gid=have.gid if gid is None else gid)
        except Denied as denial:
            owner = Identity(have.uid if uid is None else uid, have.gid if gid is None else gid)
            node = await _make_as(tree, parent, name, mode, owner, denial)
            have, gives = node.attributes, False
    # Giving a directory away can take its setuid and setgid bits.
    if have.mode != mode or (gives and mode & 0o6000):
        await _set_mode(tree, node, mode)
    return node if have is node.attributes and have.mode == mode else NfsNode(node.handle, replace(have, mode=mode))


async def _set_mode(tree: Tree, node: NfsNode, mode: int) -> None:
    """Tries whoever may do it until the mode is right: setgid is quietly left out for who is not in the group."""
    handle = node.handle
    owner = (await tree.session.attributes(handle)).owner

    async def change(who: Identity) -> None:
        await tree.session.change(handle, mode=mode, who=who)
        have = (await tree.session.attributes(handle)).mode
        if have != mode:
            raise NfsError(Status.PERM, f"mode {mode:04o} became {have:04o}")

    await tree.rights.use([owner], change)


async def _make_as(tree: Tree, parent: NfsNode, name: str, mode: int, owner: Identity, denial: Denied) -> NfsNode:
    """The directory made anew by its future owner, as nobody may give it away. Denied if the owner may not either."""
    session = tree.session
    if owner.uid == ROOT.uid:
        raise denial  # a squashed root can't become root by trying again
    try:
        await tree.within(parent, lambda who: session.remove(parent.handle, name, is_directory=True, who=who))
    except NfsError as error:
        if error.code in NOT_EMPTY:
            raise denial from error
        raise
    try:
        return await session.make_directory(parent.handle, name, mode=mode, uid=None, gid=None, who=owner)
    except NfsError as error:
        if error.code in DENIED:
            raise Denied([*denial.tried, owner], error) from error
        raise


async def write_file(tree: Tree, parts: Sequence[str], content: bytes, *, exclusive: bool) -> None:
    """See Share.write_file."""
    session, opening = tree.session, OpenThen(f".tmp-{secrets.token_hex(16)}")
    parent: NfsNode | None = None
    try:
        found = await tree.find(parts, is_last_open=True, then=opening)
        parent = found[len(parts) - 2] if len(parts) - 1 <= len(found) and len(parts) > 1 else session.root
        _may_be_written(tree, parts, found, exclusive=exclusive)
    except (Missing, Refused, Taken):
        if opening.opened is not None and parent is not None:
            await session.give_up(parent.handle, opening.name, opening.opened, opening.who)
        raise

    async def put(who: Identity, opened: object = None) -> None:
        await session.put(parent.handle, opening.name, parts[-1], content, exclusive=exclusive, who=who, opened=opened)

    if opening.opened is not None:
        try:
            await put(opening.who, opening.opened)
        except NfsError as error:
            if error.code not in DENIED:
                raise
        else:
            return
    await tree.within(parent, put)


def _may_be_written(tree: Tree, parts: Sequence[str], found: Sequence[NfsNode], *, exclusive: bool) -> None:
    """Refused, Taken or Missing unless a file can be put where these parts lead, of which that was found."""
    path = "/".join(parts)
    if len(found) == len(parts):
        if exclusive:
            raise Taken(tree.share, path)
        refuse_detour(found[-1], parts, len(parts))
        if found[-1].attributes.kind != "file":
            raise Refused(path, f"exists on share {tree.share}, and is no regular file")
    if len(found) < len(parts) - 1:
        raise Missing(tree.share, "/".join(parts[: len(found) + 1]))


async def rename(tree: Tree, source: Sequence[str], target: Sequence[str], only: Entry | None) -> None:
    """See Share.rename. Where the server itself does not compare what it moves, the source is looked at last, right
    before it is moved.
    """
    also = LookThen(target)
    here: list[NfsNode] | None = None
    if tree.session.does_more:
        with suppress(NfsError, Denied, Refused):  # the target is judged first
            here = await tree.find(source, then=also)
    there = also.found
    if there is None:
        there = await tree.find(target, is_last_open=True)
    else:
        for depth, node in enumerate(there[: len(target) - 1], 1):
            refuse_detour(node, target, depth)
    if len(there) == len(target):
        raise Taken(tree.share, "/".join(target))
    if len(there) < len(target) - 1:
        raise Missing(tree.share, "/".join(target[: len(there) + 1]))
    to = there[-1] if there else tree.session.root
    if here is None:
        here = await tree.find(source)
    if len(here) < len(source) or (only is not None and here[-1].handle != only.identity):
        raise Missing(tree.share, "/".join(source))
    if here[-1].attributes.kind != "directory":
        raise Refused("/".join(source), "is no directory")
    origin = here[-2] if len(here) > 1 else tree.session.root
    try:
        await move(tree, here[-1], origin, source[-1], to, target[-1])
    except NfsError as error:
        if error.code in (Status.NOENT, Status.NOT_SAME):
            raise Missing(tree.share, "/".join(source)) from error
        if error.code in (Status.EXIST, Status.NOTEMPTY, Status.NOTDIR, Status.ISDIR):
            raise Taken(tree.share, "/".join(target)) from error
        if error.code in (Status.XDEV, Status.INVAL):
            why = f"can't be moved to {'/'.join(target)!r}, which is inside it or on another file system"
            raise Refused("/".join(source), why) from error
        raise


async def remove_file(tree: Tree, parts: Sequence[str]) -> None:
    """See Share.remove_file."""
    removing = RemoveThen(is_directory=False)
    found = await tree.find(parts, then=removing)
    if len(found) < len(parts) or removing.is_done:
        return
    if found[-1].attributes.kind != "file":
        raise Refused("/".join(parts), "is no regular file")
    await _remove(tree, _parent(tree, found), parts[-1], is_directory=False)


async def remove_directory(tree: Tree, parts: Sequence[str]) -> bool:
    """See Share.remove_directory."""
    removing = RemoveThen(is_directory=True)
    found = await tree.find(parts, then=removing)
    if len(found) < len(parts) or removing.is_done:
        return True
    if found[-1].attributes.kind != "directory":
        raise Refused("/".join(parts), "is no directory")
    try:
        await _remove(tree, _parent(tree, found), parts[-1], is_directory=True)
    except NfsError as error:
        if error.code in NOT_EMPTY:
            return False
        raise
    return True


async def _remove(tree: Tree, parent: NfsNode, name: str, *, is_directory: bool) -> None:
    try:
        await tree.within(
            parent, lambda who: tree.session.remove(parent.handle, name, is_directory=is_directory, who=who)
        )
    except NfsError as error:
        if error.code != Status.NOENT:
            raise


def _parent(tree: Tree, found: Sequence[NfsNode]) -> NfsNode:
    return found[-2] if len(found) > 1 else tree.session.root
