"""What is packed comes out as it went in, and is nobody else's."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from berth.kube.kind import Resource
from berth.kube.packed import Packed
from berth.objects.kinds import ClaimObject, VolumeObject
from tests.objects.objects_of import claim, storage_class, volume


@pytest.mark.parametrize("obj", [claim(), volume(), storage_class()], ids=["claim", "PV", "class"])
def test_an_object_comes_out_as_it_went_in(obj: Resource) -> None:
    kept: Packed[Resource] = Packed(type(obj))
    kept.put("key", obj)
    assert kept.get("key") == obj
    assert kept.get("key") is not kept.get("key")
    assert (len(kept), "key" in kept, list(kept.values())) == (1, True, [obj])
    assert kept.pop("key") == obj
    assert (kept.pop("key"), kept.get("key"), len(kept)) == (None, None, 0)


def test_of_a_selector_is_kept_that_there_is_one() -> None:
    read = msgspec.json.decode(b'{"spec": {"selector": {"matchLabels": {"a": "b"}}}}', type=ClaimObject)
    kept = Packed(ClaimObject)
    kept.put("key", read)
    found = kept.get("key")
    assert found is not None
    assert found.spec.selector is not None


def test_each_tells_what_was_there_at_the_beginning_as_it_is_when_its_turn_comes() -> None:
    async def main() -> None:
        kept = Packed(VolumeObject)
        for name in ("a", "b", "c"):
            kept.put(name, volume(name, phase="Bound"))
        seen = []
        async for one in kept.each():
            seen.append((one.name, one.status.phase))
            if len(seen) == 1:
                kept.pop("b")
                kept.put("c", volume("c", phase="Released"))
                kept.put("d", volume("d"))
        assert seen == [(volume("a").name, "Bound"), (volume("c").name, "Released")]

    asyncio.run(main())
