"""What the API server in memory answers is what the real one answers: each test runs against both."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from lightkube.models.core_v1 import (
    NFSVolumeSource,
    PersistentVolumeClaimSpec,
    PersistentVolumeSpec,
    VolumeResourceRequirements,
)
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap, Namespace, PersistentVolume, PersistentVolumeClaim

from berth.kube.client import Api
from berth.kube.errors import AlreadyExists, Conflict, Invalid, NotFound
from berth.kube.lines import WatchEvent
from berth.kube.manifest import ManifestApi, place_of
from tests.kube.support import config_map, unique

HELD = "berth.io/test"
"""A finalizer."""
ANOTHERS = "00000000-0000-0000-0000-000000000000"
"""A UID that nothing has."""


def meta_of(obj: Any) -> ObjectMeta:
    assert obj.metadata is not None
    meta: ObjectMeta = obj.metadata
    return meta


def claim(namespace: str, name: str = "data") -> PersistentVolumeClaim:
    return PersistentVolumeClaim(
        metadata=ObjectMeta(name=name, namespace=namespace),
        spec=PersistentVolumeClaimSpec(
            accessModes=["ReadWriteMany"],
            storageClassName="nobodys",
            resources=VolumeResourceRequirements(requests={"storage": "1Gi"}),
        ),
    )


def volume(name: str, **changes: Any) -> PersistentVolume:
    return PersistentVolume(
        metadata=ObjectMeta(name=name, **changes),
        spec=PersistentVolumeSpec(
            capacity={"storage": "1Gi"},
            accessModes=["ReadWriteMany"],
            persistentVolumeReclaimPolicy="Retain",
            storageClassName="nobodys",
            nfs=NFSVolumeSource(server="nfs.example", path="/srv/a"),
        ),
    )


async def names(api: Api, home: str, **selected: Any) -> list[str | None]:
    page = await api.list_page(ConfigMap, namespace=home, **selected)
    return [name for one in page.items if (name := meta_of(one).name) != "kube-root-ca.crt"]


async def watched(api: Api, home: str, since: str, count: int, **selected: Any) -> list[WatchEvent[ConfigMap]]:
    """The first events of a watch that are no bookmarks."""
    stream = api.watch(ConfigMap, resource_version=since, namespace=home, **selected)
    found: list[WatchEvent[ConfigMap]] = []
    async with asyncio.timeout(30), aclosing(stream):
        async for event in stream:
            if event.type != "BOOKMARK" and meta_of(event.object).name != "kube-root-ca.crt":
                found.append(event)
            if len(found) == count:
                return found
    raise AssertionError(f"the watch ended after {found}")


async def test_what_is_made_has_a_uid_a_version_and_a_time(api: ManifestApi, home: str) -> None:
    one, other = await api.create(config_map(home, "a", x="1")), await api.create(config_map(home, "b"))
    assert meta_of(one).uid
    assert meta_of(one).uid != meta_of(other).uid
    assert int(meta_of(one).resourceVersion or 0) < int(meta_of(other).resourceVersion or 0)
    assert meta_of(one).creationTimestamp
    assert (await api.get(ConfigMap, "a", namespace=home)).data == {"x": "1"}


async def test_a_name_is_taken_once(api: ManifestApi, home: str) -> None:
    await api.create(config_map(home, "a"))
    with pytest.raises(AlreadyExists, match='configmaps "a" already exists') as caught:
        await api.create(config_map(home, "a"))
    assert (caught.value.code, caught.value.reason) == (409, "AlreadyExists")


async def test_what_is_not_there_is_not_found(api: ManifestApi, home: str) -> None:
    with pytest.raises(NotFound, match='configmaps "a" not found'):
        await api.get(ConfigMap, "a", namespace=home)
    with pytest.raises(NotFound):
        await api.patch(ConfigMap, "a", {"data": {}}, namespace=home)
    with pytest.raises(NotFound):
        await api.replace(config_map(home, "a"))
    with pytest.raises(NotFound):
        await api.delete(ConfigMap, "a", namespace=home)
    with pytest.raises(NotFound, match=r'namespaces "no-such-place" not found'):
        await api.create(config_map("no-such-place", "a"))


async def test_a_bad_name_is_invalid(api: ManifestApi, home: str) -> None:
    with pytest.raises(Invalid, match=r"metadata\.name: Invalid value") as caught:
        await api.create(config_map(home, "Not_A_Name"))
    assert (caught.value.code, caught.value.reason) == (422, "Invalid")


async def test_a_replacement_needs_the_version_of_now(api: ManifestApi, home: str) -> None:
    old = await api.create(config_map(home, "a"))
    newer = await api.patch(ConfigMap, "a", {"data": {"x": "1"}}, namespace=home)
    with pytest.raises(Conflict, match="the object has been modified") as caught:
        await api.replace(old)
    assert caught.value.reason == "Conflict"
    newer.data = {"y": "2"}
    assert (await api.replace(newer)).data == {"y": "2"}


@pytest.mark.parametrize("kind", ["merge", "strategic"])
async def test_a_patch_may_name_what_it_is_about(api: ManifestApi, home: str, kind: Any) -> None:
    made = await api.create(config_map(home, "a"))

    async def patch(**meta: str | None) -> ConfigMap:
        return await api.patch(ConfigMap, "a", {"metadata": meta, "data": {"x": "1"}}, namespace=home, kind=kind)

    assert (await patch(uid=meta_of(made).uid)).data == {"x": "1"}
    with pytest.raises(Conflict):
        await patch(resourceVersion=meta_of(made).resourceVersion)
    with pytest.raises(Invalid, match=r"metadata\.uid: Invalid value: .*: field is immutable"):
        await patch(uid=ANOTHERS)


async def test_a_replacement_of_anothers_uid_is_a_conflict(api: ManifestApi, home: str) -> None:
    made = await api.create(config_map(home, "a"))
    meta_of(made).uid = ANOTHERS
    with pytest.raises(Conflict):
        await api.replace(made)


async def test_what_changes_nothing_makes_no_new_version(api: ManifestApi, home: str) -> None:
    made = await api.create(config_map(home, "a", x="1"))
    again = await api.patch(ConfigMap, "a", {"data": {"x": "1"}}, namespace=home)
    assert meta_of(again).resourceVersion == meta_of(made).resourceVersion


async def test_each_patch_changes_what_it_names(api: ManifestApi, home: str) -> None:
    await api.create(config_map(home, "a", x="1", y="2"))
    merged = await api.patch(ConfigMap, "a", {"data": {"x": None, "z": "3"}}, namespace=home)
    assert merged.data == {"y": "2", "z": "3"}
    operations: list[dict[str, Any]] = [
        {"op": "test", "path": "/data/y", "value": "2"},
        {"op": "replace", "path": "/data/y", "value": "4"},
        {"op": "add", "path": "/metadata/labels", "value": {"a.b/c": "1"}},
        {"op": "remove", "path": "/data/z"},
    ]
    patched = await api.patch(ConfigMap, "a", operations, namespace=home, kind="json")
    assert patched.data == {"y": "4"}
    operations[0]["value"] = "5"
    with pytest.raises(Invalid):
        await api.patch(ConfigMap, "a", operations, namespace=home, kind="json")
    labels = {"metadata": {"labels": {"a.b/c": None}}}
    assert not meta_of(await api.patch(ConfigMap, "a", labels, namespace=home, kind="strategic")).labels


async def test_finalizers_are_added_and_taken_away_one_by_one(api: ManifestApi, home: str) -> None:
    await api.create(config_map(home, "a"))

    async def change(field: str, *finalizers: str) -> list[str]:
        patch = {"metadata": {field: list(finalizers)}}
        done = await api.patch(ConfigMap, "a", patch, namespace=home, kind="strategic")
        return meta_of(done).finalizers or []

    assert await change("finalizers", "a.b/c") == ["a.b/c"]
    assert sorted(await change("finalizers", HELD)) == ["a.b/c", HELD]
    assert await change("$deleteFromPrimitiveList/finalizers", "a.b/c") == [HELD]
    assert await change("$deleteFromPrimitiveList/finalizers", HELD) == []


async def test_what_has_finalizers_is_marked_and_goes_with_the_last(api: ManifestApi, home: str) -> None:
    await api.create(config_map(home, "a"))
    await api.patch(ConfigMap, "a", {"metadata": {"finalizers": [HELD]}}, namespace=home)
    assert await api.delete(ConfigMap, "a", namespace=home) == (HELD,)
    marked = await api.get(ConfigMap, "a", namespace=home)
    assert meta_of(marked).deletionTimestamp
    await api.delete(ConfigMap, "a", namespace=home)
    with pytest.raises(Invalid, match="no new finalizers can be added if the object is being deleted"):
        await api.patch(ConfigMap, "a", {"metadata": {"finalizers": [HELD, "a.b/c"]}}, namespace=home)
    await api.patch(ConfigMap, "a", {"metadata": {"finalizers": None}}, namespace=home)
    with pytest.raises(NotFound):
        await api.get(ConfigMap, "a", namespace=home)


async def test_a_delete_spares_a_namesake(api: ManifestApi, home: str) -> None:
    made = await api.create(config_map(home, "a"))
    with pytest.raises(Conflict):
        await api.delete(ConfigMap, "a", namespace=home, uid=ANOTHERS)
    with pytest.raises(Conflict):
        await api.delete(ConfigMap, "a", namespace=home, resource_version="1")
    assert await api.delete(ConfigMap, "a", namespace=home, uid=meta_of(made).uid or "") == ()


async def test_pages_are_one_list_as_it_was(api: ManifestApi, home: str) -> None:
    for number in range(5):
        await api.create(config_map(home, f"a{number}"))
    first = await api.list_page(ConfigMap, namespace=home, limit=2)
    await api.create(config_map(home, "a9"))
    rest = await api.list_page(ConfigMap, namespace=home, limit=9, continue_token=first.continue_token)
    assert [meta_of(one).name for one in first.items] == ["a0", "a1"]
    assert [name for one in rest.items if (name := meta_of(one).name) != "kube-root-ca.crt"] == ["a2", "a3", "a4"]
    assert (first.resource_version, rest.continue_token) == (rest.resource_version, "")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("of=one", ["a"]),
        ("of!=one", ["b", "c"]),
        ("of", ["a", "b"]),
        ("!of", ["c"]),
        ("of in (one, two),of!=two", ["a"]),
        ("of notin (one)", ["b", "c"]),
    ],
)
async def test_labels_select(api: ManifestApi, home: str, labels: str, expected: list[str]) -> None:
    for name, of in (("a", "one"), ("b", "two"), ("c", "")):
        obj = config_map(home, name)
        meta_of(obj).labels = {"of": of} if of else {}
        await api.create(obj)
    assert await names(api, home, labels=labels) == expected


async def test_fields_select(api: ManifestApi, home: str) -> None:
    await api.create(config_map(home, "a"))
    await api.create(config_map(home, "b"))
    assert await names(api, home, fields="metadata.name=b") == ["b"]
    with pytest.raises(Invalid, match="field"):
        await names(api, home, fields="data=b")
    with pytest.raises(Invalid):
        await names(api, home, labels="a=b=c")


async def test_a_watch_tells_each_change_in_its_order(api: ManifestApi, home: str) -> None:
    since = (await api.list_page(ConfigMap, namespace=home)).resource_version
    following = asyncio.create_task(watched(api, home, since, 3))
    await api.create(config_map(home, "a", x="1"))
    await api.patch(ConfigMap, "a", {"data": {"x": "2"}}, namespace=home)
    await api.delete(ConfigMap, "a", namespace=home)
    told = [(event.type, event.object.data) for event in await following]
    assert told == [("ADDED", {"x": "1"}), ("MODIFIED", {"x": "2"}), ("DELETED", {"x": "2"})]
    versions = [int(meta_of(event.object).resourceVersion or 0) for event in await watched(api, home, since, 3)]
    assert sorted(set(versions)) == versions


async def test_what_leaves_a_selection_is_gone_for_its_watch(api: ManifestApi, home: str) -> None:
    since = (await api.list_page(ConfigMap, namespace=home)).resource_version
    await api.create(config_map(home, "a"))
    for of in ("one", "two", "one"):
        await api.patch(ConfigMap, "a", {"metadata": {"labels": {"of": of}}}, namespace=home)
    told = await watched(api, home, since, 3, labels="of=one")
    assert [event.type for event in told] == ["ADDED", "DELETED", "ADDED"]


async def test_a_watch_ends_when_it_was_to(api: ManifestApi, home: str) -> None:
    since = (await api.list_page(ConfigMap, namespace=home)).resource_version
    stream = api.watch(ConfigMap, resource_version=since, namespace=home, fields="metadata.name=a", timeout=1)
    assert [event async for event in stream if event.type != "BOOKMARK"] == []


async def test_status_is_its_subresources_business(api: ManifestApi, home: str) -> None:
    wanted = claim(home)
    made = await api.create(wanted)
    assert made.status is not None
    assert made.status.phase == "Pending"
    status = {"status": {"capacity": {"storage": "1Gi"}}, "spec": {"volumeName": "nowhere"}}

    async def patch(content: dict[str, Any], **how: Any) -> PersistentVolumeClaim:
        return await api.patch(PersistentVolumeClaim, "data", content, namespace=home, **how)

    by_itself = await patch({"status": status["status"]})
    assert by_itself.status is not None
    assert by_itself.status.capacity is None
    patched = await patch(status, subresource="status")
    assert patched.status is not None
    assert patched.spec is not None
    assert (patched.status.capacity, patched.spec.volumeName) == ({"storage": "1Gi"}, None)


async def test_conditions_are_told_apart_by_their_type(api: ManifestApi, home: str) -> None:
    await api.create(claim(home))

    async def patch(*conditions: dict[str, str]) -> dict[str, str | None]:
        done = await api.patch(
            PersistentVolumeClaim,
            "data",
            {"status": {"conditions": list(conditions)}},
            namespace=home,
            kind="strategic",
            subresource="status",
        )
        assert done.status is not None
        return {one.type: one.message for one in done.status.conditions or []}

    assert await patch({"type": "Resizing", "status": "True", "message": "one"}) == {"Resizing": "one"}
    failed = {"type": "ControllerResizeError", "status": "True", "message": "two"}
    assert await patch(failed) == {"Resizing": "one", "ControllerResizeError": "two"}
    assert await patch({"type": "Resizing", "status": "True", "message": "three"}) == {
        "Resizing": "three",
        "ControllerResizeError": "two",
    }
    deleted = [{"type": kind, "$patch": "delete"} for kind in ("Resizing", "Unheard")]
    assert await patch(*deleted) == {"ControllerResizeError": "two"}


async def test_where_a_volume_lies_can_not_be_changed(api: ManifestApi) -> None:
    name = unique("pv")
    await api.create(volume(name))
    try:
        grown = await api.patch(PersistentVolume, name, {"spec": {"capacity": {"storage": "2Gi"}}})
        assert grown.spec is not None
        assert grown.spec.capacity == {"storage": "2Gi"}
        with pytest.raises(Invalid, match="immutable after creation"):
            await api.patch(PersistentVolume, name, {"spec": {"nfs": {"path": "/srv/b"}}})
    finally:
        await api.delete(PersistentVolume, name)


async def test_the_clusters_own_namespace_has_a_uid(api: ManifestApi) -> None:
    assert meta_of(await api.get(Namespace, "kube-system")).uid


async def test_applying_keeps_others_fields_and_removes_ones_own(api: ManifestApi, home: str) -> None:
    def said(**content: str) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": home}, "data": content}

    await api.apply(said(mine="1", also="2"), manager="me")
    await api.apply(said(theirs="3"), manager="they")
    tried = await api.apply(said(mine="1"), manager="me", dry_run=True)
    assert tried["data"] == {"mine": "1", "theirs": "3"}
    assert (await api.read(place_of(said())))["data"] == {"mine": "1", "also": "2", "theirs": "3"}
    with pytest.raises(Conflict):
        await api.apply(said(mine="9"), manager="they", force=False)
    assert (await api.apply(said(mine="1"), manager="me"))["data"] == {"mine": "1", "theirs": "3"}
    await api.remove(place_of(said()))
    with pytest.raises(NotFound):
        await api.read(place_of(said()))
