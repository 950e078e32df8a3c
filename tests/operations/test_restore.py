"""Why a volume can't be brought back, or its end not be changed: a finding, or a sentence about its PV."""

from __future__ import annotations

from typing import Any, cast

import pytest

from berth.findings.finding import Subject
from berth.operations.ends import look
from berth.operations.errors import Stopped
from berth.operations.restore import find_volumes
from berth.shares.choose import Shares
from berth.volumes.plan import DefaultShare
from tests.fake_api.api import FakeApi
from tests.operations.takeover.things import EXPORT, SERVER, default_path, of_class, volume
from tests.reconcilers.rig import MemoryShares, json_of

SHARE = f"{SERVER}:{EXPORT}"
UNSAID, TOLD = DefaultShare(), DefaultShare(SERVER, EXPORT)


def cluster() -> FakeApi:
    made = FakeApi()
    made.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}})
    return made


async def stopped(api: FakeApi, pv: str, share: DefaultShare = UNSAID) -> Stopped:
    with pytest.raises(Stopped) as told:
        await find_volumes(api, cast(Shares, MemoryShares()), (pv,), share)
    return told.value


async def test_a_pv_that_nobody_knows_where_no_share_is_named() -> None:
    told = await stopped(cluster(), "pvc-1")
    assert told.finding is not None
    assert (told.finding.id, told.about) == ("volume-unknown", (Subject("volume", "pvc-1"),))
    assert str(told) == (
        "there is no PV pvc-1, and no class or PV names a share; name its share with --share HOST:/EXPORT"
    )


async def test_a_pv_that_no_share_knows_is_told_with_the_shares() -> None:
    api = cluster()
    api.cluster.put(json_of(of_class({"server": SERVER, "share": EXPORT})))
    told = await stopped(api, "pvc-1")
    assert told.finding is not None
    assert told.finding.facts["shares"] == SHARE
    assert str(told) == (
        f"there is no PV pvc-1, and no share knows it: {SHARE}; name its share with --share HOST:/EXPORT"
    )


async def test_who_named_the_share_is_not_asked_for_it() -> None:
    told = await stopped(cluster(), "pvc-1", TOLD)
    assert (told.finding, told.about) == (None, (Subject("volume", "pvc-1"),))
    assert str(told) == f"there is no PV pvc-1, and no share knows it: {SHARE}"
    assert told.text.zh == f"没有名为 pvc-1 的 PV，这些共享上也没有它：{SHARE}"


async def test_a_volume_whose_directory_is_nowhere_is_left_to_the_servers_backup() -> None:
    api = cluster()
    pv = json_of(volume(1, default_path(1)))
    api.cluster.put(pv)
    name = pv["metadata"]["name"]
    told = await stopped(api, name, TOLD)
    assert told.finding is not None
    assert (told.finding.id, told.about) == ("directory-gone", (Subject("volume", name), Subject("share", SHARE)))
    assert told.finding.facts["place"] == f"{SHARE}{default_path(1).removeprefix(EXPORT)}"


async def test_a_pv_made_by_hand_is_neither_restored_nor_ended() -> None:
    api = cluster()
    pv: dict[str, Any] = json_of(volume(1, default_path(1)))
    pv["metadata"]["annotations"] = {}
    api.cluster.put(pv)
    name = pv["metadata"]["name"]
    told = await stopped(api, name)
    assert (told.finding, told.about) == (None, (Subject("volume", name),))
    with pytest.raises(Stopped, match="was made by hand"):
        await look(api, cast(Shares, MemoryShares()), name, "retain", UNSAID)
