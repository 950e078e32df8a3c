"""The decision about a claim: where, how and until when; or a refusal that names the field (I9)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.volumes.errors import Refused
from berth.volumes.parameters import KNOWN
from berth.volumes.plan import DefaultShare, Occupied, Plan, join_export, make_plan
from berth.volumes.request import Claim, Neighbour, VolumeRequest
from berth.volumes.share import ShareAddress
from tests.volumes.builders import DEFAULT, EXPORT, GIB, SERVER, among, neighbour, nobody, plan, request

BY_NAME = {"pathPattern": "${.PVC.namespace}/${.PVC.name}"}


def test_a_plan_says_all_that_is_needed_to_make_the_volume() -> None:
    wanted = request(parameters={"archiveOnDelete": "false", "directoryMode": "0750", "uid": "5", "gid": "6"})
    made = make_plan(wanted, DEFAULT, nobody)
    assert made == Plan(
        claim=wanted.claim,
        pv=wanted.pv,
        class_name="nfs",
        provisioner="nfs.berth.io",
        share=ShareAddress(SERVER, EXPORT),
        path=f"team-data-{wanted.pv}",
        mode=0o750,
        uid=5,
        gid=6,
        size_bytes=GIB,
        on_delete="delete",
        sharing="deny",
        is_unique=True,
        adopts=True,
    )
    assert made.absolute_path == f"{EXPORT}/team-data-{wanted.pv}"


def test_a_class_with_its_own_share_and_mount_options() -> None:
    made = plan(parameters={"server": "[fd00::1]", "share": "/data/"}, mount_options=("nfsvers=3", "port=2050"))
    assert made.share == ShareAddress("fd00::1", "/data", version="3", port=2050)


@pytest.mark.parametrize(
    ("export", "path", "absolute"),
    [
        pytest.param("/srv/nfs", "a/b", "/srv/nfs/a/b", id="below an export"),
        pytest.param("/", "a", "/a", id="below the root"),
    ],
)
def test_an_export_and_a_path_make_one_absolute_path(export: str, path: str, absolute: str) -> None:
    assert join_export(export, path) == absolute


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        pytest.param({"has_selector": True}, "spec.selector", "remove it", id="a selector"),
        pytest.param({"volume_mode": "Block"}, "spec.volumeMode", "use Filesystem", id="block mode"),
        pytest.param(
            {"data_source": "PersistentVolumeClaim/old"},
            "spec.dataSource",
            "PersistentVolumeClaim/old",
            id="a clone",
        ),
        pytest.param({"reclaim_policy": "Recycle"}, "reclaimPolicy", "Delete, Retain", id="an unknown reclaim policy"),
        pytest.param({"parameters": {"nope": "x"}}, "parameter nope", "not known", id="an unknown parameter"),
        pytest.param(
            {"parameters": {"pathPattern": "${.PVC.labels.app}"}},
            "parameter pathPattern",
            "'app'",
            id="a label that is missing",
        ),
        pytest.param(
            {"parameters": {"pathPattern": "${.PVC.annotations.dir}"}, "annotations": {"dir": "../x"}},
            "parameter pathPattern",
            "annotation 'dir'",
            id="a path that leads out",
        ),
        pytest.param({"mount_options": ("nfsvers=9",)}, "mountOptions", "nfsvers=9", id="an impossible mount option"),
        pytest.param(
            {"parameters": {"minSize": "2"}},
            "spec.resources.requests.storage",
            "1 GiB is below minSize 2 GiB of class nfs",
            id="a size below the minimum",
        ),
        pytest.param(
            {"parameters": {"maxSize": "0.5"}},
            "spec.resources.requests.storage",
            "1 GiB is above maxSize 0.5 GiB of class nfs",
            id="a size above the maximum",
        ),
    ],
)
def test_what_can_not_be_honoured_is_refused_by_field(changes: dict[str, Any], field: str, said: str) -> None:
    parameters = changes.pop("parameters", None)
    assert parameters is None or isinstance(parameters, dict)
    with pytest.raises(Refused) as refusal:
        make_plan(request(parameters=parameters, **changes), DEFAULT, nobody)
    assert refusal.value.field == field
    assert said in refusal.value.why


def test_sizes_at_the_limits_are_fine() -> None:
    assert plan(parameters={"minSize": "1", "maxSize": "1"}).size_bytes == GIB


@pytest.mark.parametrize(
    ("default", "field", "setting"),
    [
        pytest.param(DefaultShare(), "parameter server", "NFS_SERVER", id="neither server nor path"),
        pytest.param(DefaultShare(export="/srv"), "parameter server", "NFS_SERVER", id="no server"),
        pytest.param(DefaultShare(server="nfs"), "parameter share", "NFS_PATH", id="no path"),
    ],
)
def test_without_a_share_the_refusal_says_where_to_name_one(default: DefaultShare, field: str, setting: str) -> None:
    with pytest.raises(Refused) as refusal:
        make_plan(request(), default, nobody)
    assert refusal.value.field == field
    assert setting in refusal.value.why
    assert "class nfs" in refusal.value.why


@pytest.mark.parametrize(
    ("path", "said"),
    [
        pytest.param(f"{EXPORT}/team/data", "is the directory of PV pvc-other (claim team/other)", id="the same"),
        pytest.param(f"{EXPORT}/team", "overlaps the directory of PV pvc-other", id="one that contains it"),
        pytest.param(f"{EXPORT}/team/data/x", "overlaps the directory of PV pvc-other", id="one that lies in it"),
    ],
)
def test_another_claims_directory_is_not_given_away(path: str, said: str) -> None:
    with pytest.raises(Occupied) as refusal:
        plan(parameters=BY_NAME, neighbours=among(neighbour(path)))
    assert said in refusal.value.why
    assert refusal.value.blockers == ("pvc-other",)


def test_a_pv_that_serves_no_claim_is_named_without_one() -> None:
    with pytest.raises(Occupied, match="is the directory of PV pvc-other; make"):
        plan(parameters=BY_NAME, neighbours=among(neighbour(f"{EXPORT}/team/data", claim="")))


def test_a_directory_beside_it_does_not_matter() -> None:
    beside = among(neighbour(f"{EXPORT}/team/data2"), neighbour(f"{EXPORT}/team-data"))
    assert plan(parameters=BY_NAME, neighbours=beside).path == "team/data"


@pytest.mark.parametrize(
    ("parameters", "placeholder"),
    [
        pytest.param({"pathPattern": "x"}, "${.PV.name}", id="pathPattern"),
        pytest.param({"subDir": "x"}, "${pv.metadata.name}", id="subDir"),
    ],
)
def test_the_advice_is_in_the_spelling_of_the_class(parameters: dict[str, str], placeholder: str) -> None:
    with pytest.raises(Occupied) as refusal:
        plan(parameters=parameters, neighbours=among(neighbour(f"{EXPORT}/x")))
    assert placeholder in refusal.value.why


@pytest.mark.parametrize(
    ("mine", "theirs", "namespace", "is_shared"),
    [
        pytest.param("allow", "allow", "elsewhere", True, id="both allow it"),
        pytest.param("allow", "deny", "team", False, id="the other denies it"),
        pytest.param("deny", "allow", "team", False, id="this class denies it"),
        pytest.param("namespace", "namespace", "team", True, id="both allow it within the namespace"),
        pytest.param("namespace", "namespace", "elsewhere", False, id="another namespace"),
        pytest.param("allow", "namespace", "elsewhere", False, id="the other only within its namespace"),
        pytest.param("allow", "namespace", "team", True, id="the other within this namespace"),
        pytest.param("allow", None, "elsewhere", True, id="a PV that says nothing goes by this class"),
        pytest.param("deny", None, "team", False, id="a PV that says nothing does not weaken a denial"),
    ],
)
def test_sharing_needs_both_sides(mine: str, theirs: str | None, namespace: str, is_shared: bool) -> None:
    there = among(neighbour(f"{EXPORT}/team/data", sharing=theirs, namespace=namespace))
    wanted = {**BY_NAME, "sharedPaths": mine}
    if is_shared:
        assert plan(parameters=wanted, neighbours=there).path == "team/data"
    else:
        with pytest.raises(Occupied):
            plan(parameters=wanted, neighbours=there)


@pytest.mark.parametrize("leaving", ["delete", "archive"])
def test_a_directory_that_is_about_to_move_is_not_shared_whatever_was_said(leaving: str) -> None:
    there = among(neighbour(f"{EXPORT}/team/data", sharing="allow", leaving=leaving))
    with pytest.raises(Occupied, match=f"about to be {leaving}d, and this claim is served right after that"):
        plan(parameters={**BY_NAME, "sharedPaths": "allow"}, neighbours=there)


def test_a_directory_that_is_kept_can_be_shared_again() -> None:
    there = among(neighbour(f"{EXPORT}/team/data", sharing="allow", leaving="retain"))
    assert plan(parameters={**BY_NAME, "sharedPaths": "allow"}, neighbours=there).path == "team/data"


def test_the_one_that_stays_is_named_before_one_that_is_leaving() -> None:
    there = among(
        neighbour(f"{EXPORT}/team", pv="pvc-leaving", leaving="delete"),
        neighbour(f"{EXPORT}/team/data", pv="pvc-stays"),
    )
    with pytest.raises(Occupied, match=r"directory of PV pvc-stays .* and 1 more; make the pattern unique") as refusal:
        plan(parameters=BY_NAME, neighbours=there)
    assert set(refusal.value.blockers) == {"pvc-leaving", "pvc-stays"}


@pytest.mark.parametrize("path", [EXPORT, f"{EXPORT}/", "/srv", "/"])
def test_a_pv_of_the_whole_share_made_by_somebody_else_stands_in_nobodys_way(path: str) -> None:
    root = among(neighbour(path, pv="pv-nfs-client-provisioner", sharing=None))
    assert plan(parameters=BY_NAME, neighbours=root).path == "team/data"


def test_a_volume_of_berths_own_that_holds_another_share_stands_in_its_way() -> None:
    with pytest.raises(Occupied):
        plan(parameters=BY_NAME, neighbours=among(neighbour("/srv")))


def test_a_pv_beside_the_share_with_a_name_that_begins_alike_is_not_the_whole_share() -> None:
    with pytest.raises(Occupied):
        plan(parameters={"pathPattern": "x"}, neighbours=among(neighbour(f"{EXPORT}/x", sharing=None)))


def test_the_pv_itself_is_left_out_when_neighbours_are_asked_for() -> None:
    asked = []

    def neighbours(server: str, path: str, without: str) -> list[Neighbour]:
        asked.append((server, path, without))
        return []

    made = plan(parameters={**BY_NAME, "server": "[fd00::1]"}, neighbours=neighbours)
    assert asked == [("fd00::1", f"{EXPORT}/team/data", made.pv)]


TEXTS = st.text(max_size=12)


@given(
    st.builds(
        VolumeRequest,
        claim=st.builds(Claim, namespace=TEXTS, name=TEXTS, uid=TEXTS),
        pv=TEXTS,
        class_name=TEXTS,
        provisioner=TEXTS,
        parameters=st.dictionaries(st.sampled_from(KNOWN), TEXTS, max_size=2),
        size_bytes=st.integers(),
        labels=st.dictionaries(TEXTS, TEXTS, max_size=1),
        annotations=st.dictionaries(TEXTS, TEXTS, max_size=1),
        mount_options=st.lists(TEXTS, max_size=2).map(tuple),
        reclaim_policy=st.one_of(st.just("Delete"), TEXTS),
        volume_mode=st.one_of(st.just("Filesystem"), TEXTS),
        data_source=st.sampled_from(["", "PersistentVolumeClaim/x"]),
    )
)
def test_whatever_is_asked_for_the_answer_is_a_plan_or_a_refusal(wanted: VolumeRequest) -> None:
    try:
        made = make_plan(wanted, DEFAULT, nobody)
    except Refused:
        return
    assert made.absolute_path == join_export(made.share.export, made.path)


def test_what_people_should_know_of_mount_options_is_in_the_plan_and_refuses_nothing() -> None:
    (doubt,) = make_plan(request(mount_options=("bg", "intr", "nfsvers=4.1")), DEFAULT, nobody).doubts
    assert doubt.en.startswith("`bg`: ")
