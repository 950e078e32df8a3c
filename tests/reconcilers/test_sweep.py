"""A sweep finds on a share what a crash left there, and takes nothing away itself."""

from __future__ import annotations

import pytest

from berth.kube.errors import Unreachable
from berth.kube.outcome import Done
from berth.volumes.errors import Unavailable
from berth.volumes.naming import trash_path
from berth.volumes.share import ShareAddress
from tests.objects.objects_of import claim, storage_class
from tests.reconcilers.rig import ADDRESS, KEY, PATH, Rig, told

SHARE = str(ADDRESS)


async def test_trash_whose_pv_is_gone_is_handed_to_the_purge_and_no_other(rig: Rig) -> None:
    rig.put(storage_class(parameters={"onDelete": "delete"}))
    pv = await rig.let_go()
    rig.api.be_down("patch persistentvolumes")
    with pytest.raises(Unreachable):
        await rig.reclaim(pv)
    assert trash_path(pv) in rig.share.tree()
    assert isinstance(await rig.sweep(rig.sweep.key_for(ADDRESS)), Done)
    assert rig.trashed == []
    rig.server.drop("PersistentVolume", pv)
    rig.look()
    await rig.sweep(rig.sweep.key_for(ADDRESS))
    assert rig.trashed == [pv]


async def test_a_directory_that_nobody_got_is_counted_and_left(rig: Rig) -> None:
    rig.put(claim())
    rig.api.be_down("create persistentvolumes")
    with pytest.raises(Unreachable):
        await rig.provision(KEY)
    await rig.share.write_file(f"{PATH}/data", b"x")
    await rig.sweep(rig.sweep.key_for(ADDRESS))
    assert rig.figure("berth_orphaned_volumes", share=SHARE) == 0  # its claim still waits for it
    rig.server.drop("PersistentVolumeClaim", "data", "team")
    rig.look()
    await rig.sweep(rig.sweep.key_for(ADDRESS))
    assert rig.figure("berth_orphaned_volumes", share=SHARE) == 1
    assert f"{PATH}/data" in rig.share.tree()


async def test_an_empty_one_is_tidied_away(rig: Rig) -> None:
    rig.put(claim())
    rig.api.be_down("create persistentvolumes")
    with pytest.raises(Unreachable):
        await rig.provision(KEY)
    rig.server.drop("PersistentVolumeClaim", "data", "team")
    rig.look()
    await rig.sweep(rig.sweep.key_for(ADDRESS))
    assert PATH not in rig.share.tree()


async def test_every_share_in_use_is_looked_through_once(rig: Rig) -> None:
    other = {"server": "other.example", "share": "/exported"}
    rig.put(
        storage_class("other", parameters=other),
        storage_class("other-too", parameters=other),
        storage_class("anothers", provisioner="another.example/nfs", parameters={"server": "x", "share": "/y"}),
        storage_class("nonsense", parameters={"unheard": "of"}),
    )
    await rig.serve()
    rig.server.drop("StorageClass", "nfs")
    rig.look()
    assert sorted(await rig.sweep.shares_in_use()) == [SHARE, "other.example:/exported"]


async def test_what_hides_in_the_trash_is_told_of_once(rig: Rig) -> None:
    await rig.serve()
    await rig.share.make_directory(trash_path("from-nowhere"), mode=0o700)
    key = rig.sweep.key_for(ADDRESS)
    assert told(await rig.sweep(key)) == [("TrashUnowned", "Pod berth-0")]
    assert told(await rig.sweep(key)) == []
    assert trash_path("from-nowhere") in rig.share.tree()


async def test_a_share_that_is_down_is_an_outage_that_nobody_is_blamed_for(rig: Rig) -> None:
    rig.shares.down.add(ADDRESS)
    key = rig.sweep.key_for(ADDRESS)
    with pytest.raises(Unavailable) as caught:
        await rig.sweep(key)
    assert rig.sweep.blame(key, caught.value) == ()


async def test_a_share_that_nobody_named_is_not_looked_for(rig: Rig) -> None:
    assert await rig.sweep(str(ShareAddress("nowhere.example", "/x"))) == Done()
    assert set(rig.shares.known) == {ADDRESS}
