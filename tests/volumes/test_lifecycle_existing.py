"""What Berth did not make is never taken (I10): directories that were there before, kept ones, the server's own."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace

import pytest

from berth.volumes.errors import Refused, Unavailable
from berth.volumes.naming import record_path, trash_path
from berth.volumes.plan import Occupied, Plan
from berth.volumes.records import decode, encode, record_of
from berth.volumes.request import Claim
from tests.volumes.bench import Bench
from tests.volumes.builders import Life, plan, release_plan, sweep, uid_of, without_metadata_dir

BY_NAME = {"pathPattern": "${.PVC.namespace}/${.PVC.name}"}
NS_NAME = {"pathPattern": "${.PVC.namespace}-${.PVC.name}"}
BY_ANNOTATION = {"pathPattern": "${.PVC.annotations.dir}"}
FIXED = {"pathPattern": "common/models"}
OF_OTHERS = [BY_ANNOTATION, FIXED, NS_NAME, {"subDir": "${pvc.metadata.namespace}"}]


def wanted(parameters: dict[str, str], **more: str) -> Plan:
    return plan(parameters={**parameters, **more}, annotations={"dir": "photos/2019"})


def of(namespace: str, name: str, parameters: dict[str, str], seed: str = "") -> Plan:
    """A claim of any namespace; another seed is another claim of the same name."""
    return plan(parameters=parameters, claim=Claim(namespace, name, uid_of(f"{namespace}/{name}{seed}")))


async def put_there(share: Bench, path: str) -> None:
    await share.make_directory(path, mode=0o700, uid=7)
    await share.write_file(f"{path}/a.jpg", b"precious")


async def make_share_in(share: Bench, path: str) -> None:
    """As another address of the server shows it to another class."""
    for directory in (f"{path}/.berth", f"{path}/inner"):
        await put_there(share, directory)
    await share.write_file(f"{path}/.berth/share.json", b"{}")


@pytest.mark.parametrize("existing", ["auto", "refuse"])
@pytest.mark.parametrize("parameters", OF_OTHERS)
async def test_a_directory_that_holds_what_berth_did_not_make_is_refused(
    share: Bench, lifecycle: Life, parameters: dict[str, str], existing: str
) -> None:
    claimed = wanted(parameters, existingDirectory=existing)
    await put_there(share, claimed.path)
    before = without_metadata_dir(share.tree())
    for _ in range(2):
        with pytest.raises(Refused, match=f"{claimed.path!r} was there before and holds 1 entry .*existingDirectory"):
            await lifecycle.create(claimed, share)
        assert without_metadata_dir(share.tree()) == before
        assert record_path(claimed.pv) not in share.tree()
    assert await sweep(share) == []


async def test_a_path_of_the_claims_own_is_refused_too_where_the_class_says_so(share: Bench, lifecycle: Life) -> None:
    await put_there(share, "team/data")
    with pytest.raises(Refused, match="was there before"):
        await lifecycle.create(wanted(BY_NAME, existingDirectory="refuse"), share)


@pytest.mark.parametrize("end", ["delete", "archive"])
@pytest.mark.parametrize(
    "parameters",
    [pytest.param(BY_NAME, id="its own by spelling")]
    + [pytest.param({**each, "existingDirectory": "adopt"}, id=str(each)) for each in OF_OTHERS],
)
async def test_what_is_adopted_is_served_as_it_is_and_kept_whatever_is_asked(
    share: Bench, lifecycle: Life, parameters: dict[str, str], end: str
) -> None:
    claimed = wanted(parameters, onDelete=end)
    await put_there(share, claimed.path)
    before = without_metadata_dir(share.tree())
    born = await lifecycle.create(claimed, share)
    assert (born.is_adopted, born.entries) == (True, 1)
    assert (await Life("cluster-1").create(claimed, share)).is_adopted  # repeated by a new process
    assert without_metadata_dir(share.tree()) == before
    record = decode(await share.read_file(record_path(claimed.pv)), "x")
    assert record.adopted
    assert record.on_delete == "retain"
    # Somebody writes another end onto the PV by hand.
    assert await lifecycle.release(release_plan(claimed, on_delete=end), share) == claimed.path
    assert without_metadata_dir(share.tree()) == before
    assert await sweep(share) == []
    assert without_metadata_dir(share.tree()) == before


async def test_what_was_adopted_once_stays_adopted_when_its_claim_comes_again(share: Bench, lifecycle: Life) -> None:
    first, again = of("team", "data", BY_NAME), of("team", "data", BY_NAME, seed="again")
    await put_there(share, first.path)
    await lifecycle.create(first, share)
    await lifecycle.release(release_plan(first, on_delete="retain"), share)
    assert (await lifecycle.create(again, share)).is_adopted
    assert await lifecycle.release(release_plan(again, on_delete="delete"), share) == again.path


async def test_an_adopted_directory_whose_claim_went_before_its_pv_came_is_left_as_it_was(
    share: Bench, lifecycle: Life
) -> None:
    claimed = wanted(BY_NAME)
    await put_there(share, claimed.path)
    await lifecycle.create(claimed, share)
    share.take_away(f"{claimed.path}/a.jpg")
    assert await sweep(share) == []
    assert claimed.path in share.tree()
    assert record_path(claimed.pv) not in share.tree()


@pytest.mark.parametrize("parameters", [BY_NAME, NS_NAME, FIXED])
@pytest.mark.parametrize("is_marked", [True, False], ids=["onDelete retain", "PV deleted by hand"])
async def test_a_kept_directory_goes_back_to_the_same_claim_and_to_nobody_else(
    share: Bench, lifecycle: Life, parameters: dict[str, str], is_marked: bool
) -> None:
    first = of("a-b", "c", parameters)
    await lifecycle.create(first, share)
    await share.write_file(f"{first.path}/content", b"precious")
    if is_marked:
        await lifecycle.release(release_plan(first, on_delete="retain"), share)
    other = of("a", "b-c", {"pathPattern": first.path})
    with pytest.raises(Refused, match=r"claim a-b/c.*kept after its claim was gone"):
        await lifecycle.create(other, share)
    again = of("a-b", "c", parameters, seed="again")
    # Only a record that says so shows that the directory was kept: else it is served, and kept once more.
    assert (await lifecycle.create(again, share)).is_adopted is not is_marked
    assert await share.read_file(f"{first.path}/content") == b"precious"
    where = await lifecycle.release(release_plan(again, on_delete="delete"), share)
    assert where == (trash_path(again.pv) if is_marked else again.path)
    assert record_path(first.pv) not in share.tree()


async def test_a_directory_that_is_kept_again_and_again_has_one_record(share: Bench, lifecycle: Life) -> None:
    for seed in ("", "second", "third"):
        claimed = of("team", "data", BY_NAME, seed)
        await lifecycle.create(claimed, share)
        await share.write_file(f"{claimed.path}/{seed or 'first'}", b"precious")
        await lifecycle.release(release_plan(claimed, on_delete="retain"), share)
    assert [path for path in share.tree() if path.startswith(".berth/volumes/")] == [record_path(claimed.pv)]
    assert {"team/data/first", "team/data/third"} <= share.tree().keys()


@pytest.mark.parametrize("parameters", [{}, BY_NAME], ids=["its own path", "a path by name"])
async def test_what_came_into_a_directory_before_there_was_a_pv_is_not_the_volumes(
    share: Bench, lifecycle: Life, parameters: dict[str, str]
) -> None:
    """The attempt was interrupted, and somebody took the empty directory for his own."""
    claimed = wanted(parameters, onDelete="delete")
    await lifecycle.create(claimed, share)
    await share.write_file(f"{claimed.path}/a.jpg", b"precious")
    assert (await Life("cluster-1").create(claimed, share)).is_adopted
    assert await lifecycle.release(release_plan(claimed), share) == claimed.path


async def test_what_came_before_there_was_a_pv_is_refused_where_it_may_be_anothers(
    share: Bench, lifecycle: Life
) -> None:
    claimed = wanted(FIXED)
    await lifecycle.create(claimed, share)
    await share.write_file(f"{claimed.path}/a.jpg", b"precious")
    with pytest.raises(Refused, match="was there before"):
        await Life("cluster-1").create(claimed, share)
    assert f"{claimed.path}/a.jpg" in share.tree()


async def test_a_kept_directory_that_is_shared_by_both_classes_is_shared_still_and_kept(
    share: Bench, lifecycle: Life
) -> None:
    shared = {**FIXED, "sharedPaths": "allow"}
    first, second = of("one", "c", shared), of("two", "c", shared)
    await lifecycle.create(first, share)
    await share.write_file(f"{first.path}/content", b"precious")
    await lifecycle.release(release_plan(first, on_delete="retain"), share)
    assert not (await lifecycle.create(second, share)).is_adopted
    with pytest.raises(Refused, match="kept after its claim was gone"):
        await lifecycle.release(release_plan(second, on_delete="delete"), share)
    with pytest.raises(Refused, match="kept after its claim was gone"):
        await lifecycle.create(of("three", "c", {**FIXED, "sharedPaths": "namespace"}), share)


async def test_a_shared_directory_around_volumes_holds_nothing_but_them(share: Bench, lifecycle: Life) -> None:
    inner = plan("inner", parameters={"pathPattern": "x/y/z", "sharedPaths": "allow"})
    outer = plan("outer", parameters={"pathPattern": "x", "sharedPaths": "allow"})
    await lifecycle.create(inner, share)
    await lifecycle.create(outer, share)
    share.take_away(record_path(outer.pv))
    await put_there(share, "x/photos")
    with pytest.raises(Refused, match="was there before and holds 2 entries"):
        await lifecycle.create(outer, share)


async def test_one_share_under_two_addresses_is_one(share: Bench, lifecycle: Life) -> None:
    """The PVs don't tell, since the servers' names differ. The records lie in one place, and do."""
    live, late = of("a", "b-d", NS_NAME), of("a-b", "d", NS_NAME)
    await lifecycle.create(live, share)
    await share.write_file(f"{live.path}/content", b"live")
    lifecycle.has_pv = lambda pv: pv == live.pv
    with pytest.raises(Occupied, match=r"claim a/b-d.*in use") as refusal:
        await lifecycle.create(late, share)
    assert refusal.value.blockers == (live.pv,)
    # Served long ago, by an older Berth.
    lifecycle.has_pv = lambda pv: False
    await share.write_file(
        record_path(late.pv),
        (await share.read_file(record_path(live.pv))).replace(live.pv.encode(), late.pv.encode()),
    )
    lifecycle.has_pv = lambda pv: pv == live.pv
    with pytest.raises(Occupied, match="in use"):
        await lifecycle.release(release_plan(late, on_delete="delete"), share)
    assert await share.read_file(f"{live.path}/content") == b"live"


@pytest.mark.parametrize("parameters", [{}, BY_NAME, FIXED])
@pytest.mark.parametrize("end", ["delete", "archive"])
async def test_a_volume_in_which_another_share_has_its_root_is_left_alone(
    share: Bench, lifecycle: Life, parameters: dict[str, str], end: str
) -> None:
    """Its volumes are known only below its own `.berth/`, and to PVs with another address."""
    outer = wanted(parameters)
    await lifecycle.create(outer, share)
    await make_share_in(share, outer.path)
    with pytest.raises(Refused, match=f"is the root of another share.*remove {outer.path}/.berth once"):
        await lifecycle.release(release_plan(outer, on_delete=end), share)
    assert await share.read_file(f"{outer.path}/inner/a.jpg") == b"precious"
    share.take_away(f"{outer.path}/.berth")  # as the message says
    await lifecycle.release(release_plan(outer, on_delete=end), share)
    assert outer.path not in share.tree()


@pytest.mark.parametrize("existing", ["auto", "adopt"])
@pytest.mark.parametrize("root", ["shop", "shop/data"])
@pytest.mark.parametrize("parameters", [BY_NAME, {"pathPattern": "shop/data"}])
async def test_no_volume_leads_into_another_share(
    share: Bench, lifecycle: Life, root: str, parameters: dict[str, str], existing: str
) -> None:
    wants = of("shop", "data", {**parameters, "existingDirectory": existing})
    await put_there(share, wants.path)
    await make_share_in(share, root)
    before = share.tree()
    with pytest.raises(Refused, match=f"leads into '{root}', the root of another share"):
        await lifecycle.create(wants, share)
    assert {path: what for path, what in share.tree().items() if not path.startswith(".berth")} == before
    share.take_away(f"{root}/.berth")
    if (parameters, existing) != ({"pathPattern": "shop/data"}, "auto"):
        assert (await lifecycle.create(wants, share)).is_adopted


async def test_a_volume_that_is_being_made_under_another_address_is_waited_for(share: Bench, lifecycle: Life) -> None:
    first, second = of("a", "b-d", NS_NAME), of("a-b", "d", NS_NAME)
    await lifecycle.create(first, share)
    lifecycle.has_claim = lambda claim: claim == first.claim
    with pytest.raises(Unavailable, match="is being made for claim a/b-d"):
        await lifecycle.create(second, share)


@pytest.mark.parametrize("path", ["photos/2019", "team/data", "team"])
@pytest.mark.parametrize("parameters", [BY_ANNOTATION, FIXED, {"pathPattern": "${.PVC.labels.dir}"}, {}])
async def test_a_pv_without_a_record_takes_no_directory_that_its_names_do_not_lead_to(
    share: Bench, lifecycle: Life, parameters: dict[str, str], path: str
) -> None:
    await put_there(share, path)
    before = without_metadata_dir(share.tree())
    forged = release_plan(plan(), parameters=parameters, on_delete="delete", absolute_path=f"/srv/nfs/{path}")
    with pytest.raises(Refused, match="nothing shows that Berth made it"):
        await lifecycle.release(forged, share)
    assert without_metadata_dir(share.tree()) == before


async def test_a_newer_volume_is_safe_from_a_pv_that_a_backup_brought_back(share: Bench, lifecycle: Life) -> None:
    """The cluster was restored to a moment before the newer volume was made in the place of an older one."""
    older = of("team", "data", BY_NAME)
    await lifecycle.create(older, share)
    await lifecycle.release(release_plan(older, on_delete="delete"), share)
    await lifecycle.purge(older.pv, share)
    newer = of("team", "data", BY_NAME, seed="newer")
    await lifecycle.create(newer, share)
    await share.write_file(f"{newer.path}/content", b"newer")
    restored = Life("cluster-1")
    for end in ("delete", "archive"):
        with pytest.raises(Refused, match="nothing shows that Berth made it"):
            await restored.release(release_plan(older, parameters=BY_NAME, on_delete=end), share)
        with pytest.raises(Refused, match=re.escape(newer.pv)):  # a reference provisioner's, which has no record
            await restored.release(release_plan(older, parameters=BY_NAME, on_delete=end, share=""), share)
    assert await share.read_file(f"{newer.path}/content") == b"newer"


async def test_the_first_thousand_entries_are_enough_to_say_how_much_there_is(share: Bench, lifecycle: Life) -> None:
    await share.make_directory("common/models", mode=0o755)
    for number in range(1002):
        await share.write_file(f"common/models/{number}", b"")
    with pytest.raises(Refused, match="holds more than a thousand entries"):
        await lifecycle.create(wanted(FIXED), share)


@pytest.mark.parametrize("parameters", [BY_NAME, FIXED, BY_ANNOTATION])
@pytest.mark.parametrize("is_retried", [True, False])
async def test_what_came_where_an_attempt_was_killed_is_nobodys_also_for_the_next_claim_of_that_name(
    share: Bench, lifecycle: Life, parameters: dict[str, str], is_retried: bool
) -> None:
    first = wanted(parameters, onDelete="delete")
    again = plan(
        parameters={**parameters, "onDelete": "delete"},
        annotations={"dir": "photos/2019"},
        claim=Claim("team", "data", uid_of("again")),
    )
    await lifecycle.create(first, share)  # its PV never came
    await share.write_file(f"{first.path}/a.jpg", b"precious")
    if is_retried:
        with suppress(Refused):
            await Life("cluster-1").create(first, share)
    with suppress(Refused):
        assert (await Life("cluster-1").create(again, share)).is_adopted
        assert await lifecycle.release(release_plan(again, on_delete="delete"), share) == again.path
    assert f"{first.path}/a.jpg" in share.tree()


@pytest.mark.parametrize("path", ["projects", "projects/inner"], ids=["the same", "in it"])
@pytest.mark.parametrize("order", ["adopter first", "sharer first", "both at once"])
async def test_who_shares_an_adopted_directory_never_ends_it(
    share: Bench, lifecycle: Life, path: str, order: str
) -> None:
    shared = {"sharedPaths": "allow", "onDelete": "delete"}
    one = plan("one", parameters={**shared, "pathPattern": "projects", "existingDirectory": "adopt"})
    two = plan("two", parameters={**shared, "pathPattern": path})
    await put_there(share, "projects")
    await put_there(share, "projects/inner")
    assert (await lifecycle.create(one, share)).is_adopted
    assert (await lifecycle.create(two, share)).is_adopted
    before = without_metadata_dir(share.tree())
    for each in (two, one) if order == "sharer first" else (one, two):
        assert await lifecycle.release(release_plan(each, on_delete="delete"), share) == each.path
    assert without_metadata_dir(share.tree()) == before


async def test_an_adopted_record_is_never_taken_for_one_that_leaves_too(share: Bench, lifecycle: Life) -> None:
    """Somebody wrote another end onto its PV: the plan of the other takes it for one that is deleted as well."""
    shared = {"sharedPaths": "allow", "onDelete": "delete", "pathPattern": "projects"}
    one, two = plan("one", parameters={**shared, "existingDirectory": "adopt"}), plan("two", parameters=shared)
    await put_there(share, "projects")
    await lifecycle.create(one, share)
    await share.write_file(record_path(two.pv), encode(record_of(two, "cluster-1", "")))
    lifecycle.has_pv = lambda pv: pv == one.pv
    ending = replace(release_plan(two, on_delete="delete"), agreed=frozenset({one.pv}))
    with pytest.raises(Refused) as refusal:
        await lifecycle.release(ending, share)
    assert "projects/a.jpg" in share.tree()
    assert record_path(one.pv) not in str(refusal.value)  # removing it would give the directory away


async def test_a_pv_that_says_it_is_berths_and_has_no_record_proves_nothing_by_its_claims_name(
    share: Bench, lifecycle: Life
) -> None:
    forged = of("home", "alice", BY_NAME)
    await put_there(share, forged.path)
    before = without_metadata_dir(share.tree())
    await Life("cluster-1").create(plan("other"), share)
    for end in ("delete", "archive"):
        with pytest.raises(Refused, match="nothing shows that Berth made it"):
            await lifecycle.release(release_plan(forged, parameters=BY_NAME, on_delete=end), share)
    assert before.items() <= share.tree().items()
