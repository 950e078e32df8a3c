"""After the server lost power: files of Berth's own that are empty, cut off anywhere or full of zeros are refused in a
sentence that names them, and nothing is made, moved or removed on the strength of them.
"""

from __future__ import annotations

import pytest

from berth.volumes.errors import Refused, Unavailable
from berth.volumes.naming import SHARE_FILE, metadata_path, record_path
from tests.volumes.builders import Life, born_with_data, plan, release_plan
from tests.volumes.memory import MemoryShare

BY_NAME = {"pathPattern": "${.PVC.namespace}/${.PVC.name}"}


def damaged(content: bytes) -> dict[str, bytes]:
    """What may be found in the place of content."""
    cuts = {f"cut off after {size}": content[:size] for size in (0, 1, len(content) // 2, content.rindex(b"}") - 1)}
    return {**cuts, "zeros": bytes(len(content)), "half of it zeros": content[:20] + bytes(len(content) - 20)}


@pytest.mark.parametrize("end", ["delete", "archive"])
@pytest.mark.parametrize("parameters", [{}, BY_NAME], ids=["by uid", "by name"])
@pytest.mark.parametrize("file", ["record", "share.json"])
async def test_a_damaged_file_ends_no_volume(end: str, parameters: dict[str, str], file: str) -> None:
    share = MemoryShare(plan().share)
    made = await born_with_data(share, parameters=parameters)
    where = record_path(made.pv) if file == "record" else SHARE_FILE
    whole = await share.read_file(where)
    for content in damaged(whole).values():
        await share.write_file(where, content)
        before = share.tree()
        with pytest.raises(Refused if file == "record" else Unavailable) as refused:
            await Life("cluster-1").release(release_plan(made, on_delete=end, parameters=parameters), share)
        assert where in str(refused.value)
        assert share.tree() == before
    await share.write_file(where, whole)
    assert await Life("cluster-1").release(release_plan(made, on_delete=end, parameters=parameters), share)


async def test_a_damaged_record_gives_its_directory_to_nobody_else() -> None:
    share = MemoryShare(plan().share)
    made = await born_with_data(share, parameters=BY_NAME)
    whole = await share.read_file(record_path(made.pv))
    for content in damaged(whole).values():
        await share.write_file(record_path(made.pv), content)
        before = share.tree()
        with pytest.raises(Refused):
            await Life("cluster-2").create(plan("other", parameters={"pathPattern": made.path}), share)
        assert {path: what for path, what in share.tree().items() if "clusters" not in path} == {
            path: what for path, what in before.items() if "clusters" not in path
        }


async def test_damaged_metadata_of_an_archive_keeps_its_name_taken() -> None:
    share = MemoryShare(plan().share)
    first = await born_with_data(share, "first", parameters={"pathPattern": "same"})
    name = await Life("cluster-1").release(release_plan(first, on_delete="archive"), share)
    whole = await share.read_file(metadata_path(name))
    for number, content in enumerate(damaged(whole).values()):
        await share.write_file(metadata_path(name), content)
        made = await born_with_data(share, f"turn-{number}", parameters={"pathPattern": "same"})
        other = await Life("cluster-1").release(release_plan(made, on_delete="archive"), share)
        assert other != name
        assert await share.read_file(metadata_path(name)) == content
        assert await share.read_file(f"{name}/content") == b"first"
