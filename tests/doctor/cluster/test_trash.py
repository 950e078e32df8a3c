"""What is stuck in the trash of shares that can't be seen from here is told by Events, each thing once."""

from __future__ import annotations

import asyncio

import pytest

from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.trash import look_at_trash
from berth.findings.finding import Finding
from berth.objects import runtime
from berth.reconcilers.stuck import STUCK, UNOWNED
from berth.volumes.errors import LeftBehind
from berth.volumes.naming import trash_path
from berth.volumes.trash import Trashed, unowned_text
from tests.doctor.cluster.test_judgements import event, snapshot

SHARE = "127.0.0.1:/nobody/serves/this"
PV = "pvc-d4a9e9e5-4f32-4eaf-9400-2692a268a13d"


def looked(*events: runtime.Event) -> list[Finding]:
    async def look() -> list[Finding]:
        seen = snapshot(events=events)
        return [each async for each in look_at_trash(seen, Provisioners(seen)) if isinstance(each, Finding)]

    return asyncio.run(look())


def stuck(status: str, pv: str = PV) -> runtime.Event:
    left = LeftBehind(SHARE, trash_path(pv), count=2, first="a/f", status=status)
    return event("StorageClass", "nfs", STUCK, f'{left}; it was the volume of claim "a/data"', "default")


@pytest.mark.parametrize(("status", "failure"), [("EPERM", "immutable"), ("NFS4ERR_ROFS", "read-only")])
def test_an_event_on_a_class(status: str, failure: str) -> None:
    (found,) = looked(stuck(status), stuck(status))
    assert found.id == f"trash-stuck-{failure}"
    named = {(each.kind, each.name) for each in found.about}
    assert named >= {("class", "nfs"), ("volume", PV), ("share", SHARE), ("claim", "a/data")}


def test_two_volumes_and_trash_that_nobody_will_purge_are_three_things() -> None:
    unowned = unowned_text(SHARE, [Trashed("by-hand", None, "it has no record")])
    told = [stuck("EPERM"), stuck("EPERM", PV[:-1] + "e"), event("Pod", "berth-0", UNOWNED, unowned, "berth")]
    assert sorted(each.id for each in looked(*told)) == [
        "trash-stuck-immutable", "trash-stuck-immutable", "trash-unowned",
    ]  # fmt: skip
