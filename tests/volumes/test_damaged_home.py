"""`.berth/` half there, emptied or replaced: nothing is deleted on its word, claims are served where that is safe, and
once it is right again both a process that runs and one that starts go on by themselves.
"""

from __future__ import annotations

import pytest

from berth.volumes.errors import Refused, Unavailable
from berth.volumes.naming import DIRECTORIES, HOME, SHARE_FILE, trash_path
from berth.volumes.share import ShareAddress
from tests.volumes.builders import EXPORT, SERVER, Life, born, plan, release_plan, without_metadata_dir
from tests.volumes.memory import MemoryShare, Node

BY_NAME = {"pathPattern": "${.PVC.namespace}/${.PVC.name}"}
DAMAGE = [(path, how) for path in DIRECTORIES for how in ("missing", "empty", "file", "link")] + [
    (SHARE_FILE, how) for how in ("missing", "empty", "cut", "newer", "link")
]


def node_at(share: MemoryShare, path: str) -> tuple[Node, str]:
    node = share.root
    *above, name = path.split("/")
    for part in above:
        node = node.children[part]
    return node, name


def hurt(share: MemoryShare, path: str, how: str) -> Node:
    """Damages it, and answers what was there."""
    parent, name = node_at(share, path)
    before = parent.children[name]
    if how == "missing":
        del parent.children[name]
    elif how == "link":
        parent.children[name] = Node("link", 0o777, content=b"/")
    elif how == "empty" and path != SHARE_FILE:
        parent.children[name] = Node("directory", 0o700)
    else:
        content = {"cut": before.content[:12], "newer": b'{"format": 9, "id": "x"}'}.get(how, b"")
        parent.children[name] = Node("file", 0o600, content=content)
    return before


async def serves(life: Life, share: MemoryShare, name: str, parameters: dict[str, str]) -> bool:
    try:
        await life.create(plan(name, parameters=parameters), share)
    except (Refused, Unavailable):
        return False
    return True


@pytest.mark.parametrize(("path", "how"), DAMAGE)
async def test_nothing_goes_and_all_goes_on_once_it_is_right(path: str, how: str) -> None:
    share = MemoryShare(ShareAddress(SERVER, EXPORT))
    for name, pattern in (("own", ""), ("named", BY_NAME["pathPattern"]), ("kept", "kept/dir")):
        await born(share, name, pattern, b"precious")
    running = Life("cluster-1")
    await running.create(plan("known"), share)
    live = [plan("own"), plan("named", parameters=BY_NAME), plan("kept", parameters={"pathPattern": "kept/dir"})]
    pvs = {one.pv for one in (*live, plan("known"))}
    before = without_metadata_dir(share.tree())
    right = hurt(share, path, how)
    fresh = Life("cluster-1")
    for number, life in enumerate((running, fresh)):
        life.has_pv = pvs.__contains__
        for turn in range(2):
            await serves(life, share, f"new-{number}-{turn}", {})
            await serves(life, share, f"new-{number}-{turn}-named", BY_NAME)
            assert not await serves(life, share, "thief", {"pathPattern": "kept/dir"})
            try:
                await life.sweep(share)
                await life.doubt(share)
            except (Refused, Unavailable):
                pass
        after = without_metadata_dir(share.tree())
        assert {each: after.get(each) for each in before} == before
    # It is put right again, as it was.
    parent, name = node_at(share, path)
    if path in (HOME, SHARE_FILE) or how in ("file", "link"):
        parent.children[name] = right
    for number, life in enumerate((running, fresh, Life("cluster-1"))):
        life.has_pv = pvs.__contains__
        assert await serves(life, share, f"later-{number}", {})
        assert await serves(life, share, f"later-{number}-named", BY_NAME)
    assert await fresh.release(release_plan(live[0], on_delete="delete"), share) == trash_path(live[0].pv)
    after = without_metadata_dir(share.tree())
    gone = {each for each in before if each.startswith(live[0].path)}
    assert {each: after.get(each) for each in before.keys() - gone} == {
        each: before[each] for each in before.keys() - gone
    }
