"""Moving a directory where root is squashed: the owner of the two parents does it, and may need more than is his.

To move a directory to another parent changes its `..`, so who does it must be allowed to write to the directory too.
Its own owner, whom AUTH_SYS lets us be, can allow it for a moment. Others gain nothing by that, also when we are killed
in the middle: what is opened is opened to a group that is made up on the spot and that nobody is in.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from berth.nfs import ROOT, Identity, NfsError, NfsNode, Status
from berth.shares.direct.tree import Denied, Tree

OWNER_WRITE, GROUP_WRITE = 0o200, 0o020
NOBODYS = range(0x70000000, 0x7FFFFFFF)
"""Group ids that no system hands out: above those of users, services and containers, and no negative number either."""


async def move(tree: Tree, node: NfsNode, origin: NfsNode, name: str, to: NfsNode, new_name: str) -> None:
    """Renames the directory that is called name in origin, if it is this one still. NfsError NOT_SAME, or NOENT."""
    owners = [origin.attributes.owner, to.attributes.owner]

    async def rename(who: Identity) -> None:
        await tree.session.rename(origin.handle, name, to.handle, new_name, who, only=node.handle)

    try:
        await tree.rights.use(owners, rename)
    except Denied:
        if origin.handle == to.handle or node.attributes.owner == ROOT:
            raise
        async with _opened(tree, node, owners) as movers:
            # Over NFSv3 this is what makes sure that it is this directory still.
            if (await tree.look(origin, name)).handle != node.handle:
                raise NfsError(Status.NOT_SAME, "another directory has its place") from None
            await tree.rights.use(movers, rename)


@asynccontextmanager
async def _opened(tree: Tree, node: NfsNode, owners: Sequence[Identity]) -> AsyncIterator[list[Identity]]:
    """Has the directory's owner open it. As whom it may be written to inside the block."""
    have, change = node.attributes, partial(tree.session.change, node.handle)
    group = random.choice(NOBODYS)
    # Who was of the old group is one of the others meanwhile, and gets no more than he had. Servers change mode and
    # group one after the other, so the group is never changed in a call that gives it more.
    narrow = have.mode & ~0o007 | (have.mode & have.mode >> 3 & 0o007)
    lender = Identity(have.uid, group, (have.gid,))
    await change(mode=narrow, gid=group, who=lender)
    try:
        await change(mode=narrow | OWNER_WRITE | GROUP_WRITE, who=lender)
        yield [Identity(owner.uid, group, (owner.gid,)) for owner in owners]
    finally:
        if have.gid == ROOT.gid:
            # Squashed as well, so nobody could give it back: its rights stay with the group that nobody is in.
            await change(mode=narrow, who=lender)
        else:
            await change(mode=narrow, gid=have.gid, who=Identity(have.uid, have.gid, (group,)))
            await change(mode=have.mode, who=have.owner)
