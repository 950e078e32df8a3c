"""Between Kubernetes' spelling and the rules': what is read of claims, classes and PVs, and what a new PV says."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from berth.objects import translation
from berth.objects.kinds import ClaimObject, VolumeObject
from berth.objects.translation import Location
from berth.volumes.errors import Refused
from berth.volumes.plan import DefaultShare, make_plan
from berth.volumes.release import share_of
from berth.volumes.request import Claim
from tests.objects.objects_of import PROVISIONER, claim, storage_class, uid_of, volume

GA, BETA = "volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner"
OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
NODE, OLD_NODE = "volume.kubernetes.io/selected-node", "volume.alpha.kubernetes.io/selected-node"


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        pytest.param({BETA: "old"}, "old", id="the beta key alone"),
        pytest.param({GA: "new", BETA: None}, "new", id="the new key alone"),
        pytest.param({GA: "new", BETA: "old"}, "new", id="the new key wins"),
        pytest.param({GA: "", BETA: "old"}, "old", id="an empty one counts as missing"),
        pytest.param({BETA: None}, "", id="nobody was asked"),
    ],
)
def test_who_was_asked_for_the_volume(annotations: dict[str, str | None], expected: str) -> None:
    assert translation.provisioner_of(claim(metadata={"annotations": annotations})) == expected


@pytest.mark.parametrize(
    ("annotations", "field", "expected"),
    [
        pytest.param({}, "nfs", "nfs", id="the field"),
        pytest.param({OLD_CLASS: "old"}, "nfs", "old", id="the old annotation wins"),
        pytest.param({OLD_CLASS: "old"}, None, "old", id="the old annotation alone"),
        pytest.param({}, None, None, id="none"),
    ],
)
def test_the_class_of_a_claim(annotations: dict[str, str], field: str | None, expected: str | None) -> None:
    found = claim(metadata={"annotations": annotations}, spec={"storageClassName": field})
    assert translation.class_name_of(found) == expected


@pytest.mark.parametrize(
    ("mode", "annotations", "waits"),
    [
        pytest.param("WaitForFirstConsumer", {}, True, id="no node yet"),
        pytest.param("WaitForFirstConsumer", {NODE: "worker-1"}, False, id="a node"),
        pytest.param("WaitForFirstConsumer", {OLD_NODE: "worker-1"}, False, id="a node, by the old key"),
        pytest.param("WaitForFirstConsumer", {NODE: ""}, True, id="an empty node is none"),
        pytest.param("Immediate", {}, False, id="immediate"),
        pytest.param(None, {}, False, id="immediate by default"),
    ],
)
def test_waiting_for_a_node(mode: str | None, annotations: dict[str, str], waits: bool) -> None:
    found = claim(metadata={"annotations": annotations})
    assert translation.is_waiting_for_node(found, storage_class(volumeBindingMode=mode)) is waits


def test_a_request_says_what_claim_and_class_say() -> None:
    request = translation.request_of(
        claim(
            metadata={"labels": {"app": "db"}, "annotations": {"team": "blue"}},
            spec={"resources": {"requests": {"storage": "1500m"}}},
        ),
        storage_class(parameters={"onDelete": "archive"}, mountOptions=["nfsvers=4.1"], reclaimPolicy="Retain"),
    )
    assert request.claim == Claim("team", "data", uid_of("team/data"))
    assert request.pv == f"pvc-{uid_of('team/data')}"
    assert request.class_name == "nfs"
    assert request.provisioner == PROVISIONER
    assert request.size_bytes == 2
    assert request.labels == {"app": "db"}
    assert request.annotations == {BETA: PROVISIONER, "team": "blue"}
    assert request.parameters == {"onDelete": "archive"}
    assert request.mount_options == ("nfsvers=4.1",)
    assert request.reclaim_policy == "Retain"
    assert request.volume_mode == "Filesystem"
    assert not request.has_selector
    assert request.data_source == ""


@pytest.mark.parametrize("selector", [{"matchLabels": {"a": "b"}}, {"matchExpressions": []}, {}])
def test_a_selector_is_noticed_even_when_it_is_empty(selector: dict[str, Any]) -> None:
    spec = {"selector": selector, "resources": {"requests": {"storage": "1"}}}
    found = msgspec.json.decode(json.dumps({"metadata": {"name": "data"}, "spec": spec}), type=ClaimObject)
    assert translation.request_of(found, storage_class()).has_selector


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"dataSource": {"kind": "VolumeSnapshot", "name": "monday"}}, "VolumeSnapshot/monday"),
        ({"dataSourceRef": {"kind": "PersistentVolumeClaim", "name": "other"}}, "PersistentVolumeClaim/other"),
    ],
)
def test_a_data_source_is_named(spec: dict[str, Any], expected: str) -> None:
    assert translation.request_of(claim(spec=spec), storage_class()).data_source == expected


@pytest.mark.parametrize("size", [None, "", "ten", "10 Gi"])
def test_a_size_that_is_none_is_refused_by_its_field(size: str | None) -> None:
    with pytest.raises(Refused) as caught:
        translation.request_of(claim(spec={"resources": {"requests": {"storage": size}}}), storage_class())
    assert caught.value.field == "spec.resources.requests.storage"


def made_for(found: Any, of_class: Any) -> dict[str, Any]:
    """The PV that Berth posts for a claim, as the API server reads it."""
    plan = make_plan(translation.request_of(found, of_class), DefaultShare("nfs.example", "/srv"), lambda *_: ())
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(translation.pv_of(plan, found, of_class)))
    return decoded


@pytest.mark.parametrize("written", ["fd00:db8::5", "[fd00:db8::5]"])
def test_an_ipv6_server_stands_in_brackets_on_the_pv_and_is_read_without(written: str) -> None:
    """Kubelets before 1.22 mount it only so (kubernetes#101067)."""
    of_class = storage_class(parameters={"server": written, "share": "/srv"})
    pv = made_for(claim(spec={"resources": {"requests": {"storage": "1Gi"}}}), of_class)
    assert pv["spec"]["nfs"]["server"] == "[fd00:db8::5]"
    assert pv["metadata"]["annotations"]["berth.io/share"] == "[fd00:db8::5]:/srv"
    born = msgspec.convert(pv, VolumeObject, strict=False)
    assert translation.location_of(born) == ("fd00:db8::5", pv["spec"]["nfs"]["path"])
    ending = translation.release_request_of(born, None)
    assert str(share_of(ending, DefaultShare())) == "[fd00:db8::5]:/srv"


def test_a_new_pv_is_tied_to_its_claim_and_says_its_end() -> None:
    found = claim(spec={"resources": {"requests": {"storage": "1.5Gi"}}})
    pv = made_for(found, storage_class(mountOptions=["nfsvers=4.1", "hard"]))
    uid = uid_of("team/data")
    assert pv["metadata"]["name"] == f"pvc-{uid}"
    assert pv["metadata"]["annotations"] == {
        "pv.kubernetes.io/provisioned-by": PROVISIONER,
        "berth.io/on-delete": "archive",
        "berth.io/share": "nfs.example:/srv",
    }
    assert pv["metadata"]["finalizers"] == ["external-provisioner.volume.kubernetes.io/finalizer"]
    assert pv["spec"] == {
        "accessModes": ["ReadWriteMany"],
        "capacity": {"storage": "1.5Gi"},
        "claimRef": {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "namespace": "team",
            "name": "data",
            "uid": uid,
            "resourceVersion": "7",
        },
        "mountOptions": ["nfsvers=4.1", "hard"],
        "nfs": {"server": "nfs.example", "path": f"/srv/team-data-pvc-{uid}"},
        "persistentVolumeReclaimPolicy": "Delete",
        "storageClassName": "nfs",
        "volumeMode": "Filesystem",
    }


def test_a_pv_that_is_to_be_kept_waits_for_nobody() -> None:
    pv = made_for(claim(), storage_class(reclaimPolicy="Retain"))
    assert "finalizers" not in pv["metadata"]
    assert pv["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    assert "mountOptions" not in pv["spec"]


def test_what_a_pv_says_of_sharing_is_what_is_read_from_it_later() -> None:
    for said in ("deny", "namespace", "allow"):
        pv = made_for(claim(), storage_class(parameters={"sharedPaths": said}))
        assert translation.sharing_of(volume(metadata=pv["metadata"])) == said
    assert translation.sharing_of(volume(metadata={"annotations": {"berth.io/shared-paths": "nonsense"}})) == "deny"
    assert translation.sharing_of(volume(metadata={"annotations": {"berth.io/share": None}})) is None


def test_a_release_says_what_pv_and_class_say() -> None:
    uid = uid_of("team/data")
    request = translation.release_request_of(
        volume(spec={"mountOptions": ["nfsvers=3"]}), storage_class(parameters={"onDelete": "retain"})
    )
    assert request.pv == f"pvc-{uid}"
    assert request.claim == Claim("team", "data", uid)
    assert request.class_name == "nfs"
    assert (request.server, request.absolute_path) == ("nfs.example", f"/srv/team-data-pvc-{uid}")
    assert request.share == "nfs.example:/srv"
    assert request.on_delete == "delete"
    assert request.mount_options == ("nfsvers=3",)
    assert request.parameters == {"onDelete": "retain"}


def test_a_class_without_parameters_is_not_a_class_that_is_gone() -> None:
    assert translation.release_request_of(volume(), storage_class()).parameters == {}
    assert translation.release_request_of(volume(), None).parameters is None


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        pytest.param({"nfs": None}, "spec.nfs", id="no NFS volume"),
        pytest.param({"claimRef": None}, "spec.claimRef", id="never bound"),
        pytest.param({"claimRef": {"uid": None}}, "spec.claimRef", id="reserved by name only"),
    ],
)
def test_a_pv_that_can_not_be_released_is_refused_by_its_field(spec: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as caught:
        translation.release_request_of(volume(spec=spec), storage_class())
    assert caught.value.field == field


def csi(**attributes: str) -> dict[str, Any]:
    return {"nfs": None, "csi": {"driver": "nfs.csi.k8s.io", "volumeAttributes": attributes}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"nfs": {"server": "a", "path": "/srv/x"}}, Location("a", "/srv/x")),
        (csi(server="a", share="/srv", subDir="x/y"), Location("a", "/srv/x/y")),
        (csi(server="a", share="/srv", subdir="x"), Location("a", "/srv/x")),
        (csi(server="a", share="/srv"), Location("a", "/srv")),
        (csi(server="a", share="/srv/", subDir="x/"), Location("a", "/srv/x")),
        (csi(server="a"), None),
        ({"nfs": None, "csi": {"driver": "disk.csi.example", "volumeAttributes": {"share": "/srv"}}}, None),
        ({"nfs": None}, None),
    ],
)
def test_where_the_data_of_a_pv_lies(spec: dict[str, Any], expected: Location | None) -> None:
    assert translation.location_of(volume(spec=spec)) == expected


def test_whose_a_pv_is() -> None:
    assert translation.provisioned_by(volume()) == PROVISIONER
    assert translation.is_by_berth(volume())
    legacy = volume(metadata={"annotations": {"berth.io/share": None, "berth.io/on-delete": None}})
    assert translation.provisioned_by(legacy) == PROVISIONER
    assert not translation.is_by_berth(legacy)
    assert translation.provisioned_by(volume(metadata={"annotations": None})) == ""


def test_bare_objects_are_read_without_complaint() -> None:
    bare_claim, bare_volume = ClaimObject(), VolumeObject()
    assert translation.claim_of(bare_claim) == Claim("", "", "")
    assert translation.provisioner_of(bare_claim) == ""
    assert translation.class_name_of(bare_claim) is None
    assert not translation.is_bound(bare_claim)
    assert translation.current_size(bare_claim) == translation.capacity_of(bare_volume) == ""
    assert translation.phase_of(bare_volume) == ""
    assert translation.policy_of(bare_volume) == "Retain"  # as Kubernetes has it
    assert not translation.has_finalizer(bare_volume)
    assert translation.former_claim(bare_volume) is None
    assert translation.location_of(bare_volume) is None


def test_references_point_to_the_object_for_its_events() -> None:
    about = translation.claim_reference(claim())
    assert (about.kind, about.namespace, about.name, about.uid) == (
        "PersistentVolumeClaim", "team", "data", uid_of("team/data"),
    )  # fmt: skip
    about = translation.volume_reference(volume())
    assert (about.kind, about.namespace, about.resource_version) == ("PersistentVolume", "", "9")
