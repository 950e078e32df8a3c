"""The decision about a volume whose claim is gone (I2, I3, I8): never a guess, whatever a PV claims to be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.volumes.errors import Refused
from berth.volumes.parameters import KNOWN
from berth.volumes.plan import DefaultShare, Occupied
from berth.volumes.release import end_of, make_release_plan
from berth.volumes.request import Claim, ReleaseRequest
from berth.volumes.share import ShareAddress
from tests.volumes.builders import (
    DEFAULT,
    EXPORT,
    SERVER,
    among,
    claim,
    neighbour,
    nobody,
    plan,
    release_plan,
    release_request,
)

BY_NAME = {"pathPattern": "${.PVC.namespace}/${.PVC.name}"}
BY_LABEL = {"pathPattern": "${.PVC.labels.app}"}


def test_a_volume_of_berths_own_is_released_as_its_pv_says() -> None:
    born = plan(parameters={"onDelete": "delete"})
    ending = release_plan(born, parameters={"onDelete": "archive"})
    assert (ending.share, ending.path, ending.end) == (born.share, born.path, "delete")
    assert ending.by_berth
    assert ending.why == ""


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param(None, id="gone"),
        pytest.param({"nope": "x"}, id="spoilt by an unknown parameter"),
        pytest.param({"share": "/elsewhere", "onDelete": "retain"}, id="changed to another share and end"),
    ],
)
def test_a_class_that_was_deleted_or_changed_later_strands_nothing(parameters: dict[str, str] | None) -> None:
    born = plan(parameters={"onDelete": "delete"})
    ending = make_release_plan(release_request(born, parameters={}, on_delete="delete"), DEFAULT, nobody)
    request = release_request(born)
    changed = ReleaseRequest(
        pv=request.pv,
        claim=request.claim,
        class_name=request.class_name,
        server=request.server,
        absolute_path=request.absolute_path,
        share=request.share,
        on_delete="delete",
        parameters=parameters,
    )
    after = make_release_plan(changed, DefaultShare(), nobody)
    assert (after.share, after.path, after.end) == (ending.share, ending.path, "delete")


def test_a_pv_of_the_reference_is_released_as_its_class_says() -> None:
    born = plan()
    ending = release_plan(born, parameters={"archiveOnDelete": "false"}, share="", on_delete="")
    assert (ending.share, ending.end, ending.by_berth) == (ShareAddress(SERVER, EXPORT), "delete", False)
    assert ending.is_expected_path


def test_a_pv_of_the_reference_without_its_class_is_kept_and_the_reason_told() -> None:
    request = release_request(plan(), share="", on_delete="")
    orphan = ReleaseRequest(request.pv, request.claim, "nfs", request.server, request.absolute_path)
    ending = make_release_plan(orphan, DEFAULT, nobody)
    assert ending.end == "retain"
    assert "class 'nfs' is gone" in ending.why
    assert end_of(orphan) == "retain"


def test_a_pv_of_the_reference_with_a_spoilt_class_is_refused_by_that_parameter() -> None:
    with pytest.raises(Refused, match=r"^parameter archiveOnDelet: .*did you mean archiveOnDelete"):
        release_plan(plan(), parameters={"archiveOnDelet": "true"}, share="", on_delete="")


def test_a_pv_of_the_reference_lies_on_the_server_that_it_names() -> None:
    ending = release_plan(plan(), share="", on_delete="", server="10.0.0.1")
    assert ending.share == ShareAddress("10.0.0.1", EXPORT)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"absolute_path": "/"}, "spec.nfs.path", id="the root of the server"),
        pytest.param({"absolute_path": ""}, "spec.nfs.path", id="no path"),
        pytest.param({"absolute_path": EXPORT}, "spec.nfs.path", id="the share's root"),
        pytest.param({"absolute_path": f"{EXPORT}/"}, "spec.nfs.path", id="the share's root with a slash"),
        pytest.param({"absolute_path": f"{EXPORT}/.."}, "spec.nfs.path", id="the parent of the share"),
        pytest.param({"absolute_path": f"{EXPORT}/a/../b"}, "spec.nfs.path", id="a path that is not normal"),
        pytest.param({"absolute_path": f"{EXPORT}//a"}, "spec.nfs.path", id="two slashes"),
        pytest.param({"absolute_path": f"{EXPORT}-other/a"}, "spec.nfs.path", id="a share whose name begins alike"),
        pytest.param({"absolute_path": "/etc"}, "spec.nfs.path", id="a path outside the share"),
        pytest.param({"absolute_path": f"{EXPORT}/.berth"}, "spec.nfs.path", id="Berth's own directory"),
        pytest.param({"absolute_path": f"{EXPORT}/.berth/trash/x"}, "spec.nfs.path", id="a place in the trash"),
        pytest.param({"absolute_path": f"{EXPORT}/archived-x"}, "spec.nfs.path", id="an archive"),
        pytest.param({"server": ""}, "spec.nfs.server", id="no server"),
        pytest.param({"server": "a b"}, "spec.nfs.server", id="a server that is none"),
        pytest.param({"server": "other"}, "annotation berth.io/share", id="a server unlike the annotation's"),
        pytest.param({"share": "nonsense"}, "annotation berth.io/share", id="an annotation that is no share"),
        pytest.param({"share": f"{SERVER}:relative"}, "annotation berth.io/share", id="an export that is relative"),
        pytest.param({"share": ":/"}, "annotation berth.io/share", id="an annotation without a server"),
        pytest.param({"share": f"{SERVER}:/srv/../etc"}, "annotation berth.io/share", id="an export with `..`"),
        pytest.param({"share": f"{SERVER}:/other"}, "spec.nfs.path", id="another share of the same server"),
        pytest.param({"on_delete": "Delete"}, "annotation berth.io/on-delete", id="an end that does not exist"),
        pytest.param({"mount_options": ("port=x",)}, "mountOptions", id="a port that is none"),
    ],
)
def test_a_forged_pv_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refusal:
        release_plan(plan(), **changes)
    assert refusal.value.field == field


def test_a_forged_pv_is_refused_even_if_it_is_to_be_kept() -> None:
    with pytest.raises(Refused):
        release_plan(plan(), absolute_path="/etc", on_delete="retain")


@pytest.mark.parametrize(
    ("server", "share", "export"),
    [
        pytest.param("fd00::1", "fd00::1:/srv/nfs", "/srv/nfs", id="IPv6"),
        pytest.param("fd00::", "fd00:::/srv/nfs", "/srv/nfs", id="IPv6 that ends in colons"),
        pytest.param("fd00::1", "[fd00::1]:/srv/nfs", "/srv/nfs", id="IPv6 in brackets in the annotation"),
        pytest.param("[fd00::1]", "fd00::1:/srv/nfs", "/srv/nfs", id="IPv6 in brackets in the PV"),
        pytest.param("NFS.Example", "nfs.example:/srv/nfs", "/srv/nfs", id="a name in another case"),
        pytest.param("nfs", "nfs:/", "/", id="the root of the server"),
        pytest.param("nfs", "nfs:/srv:/x", "/srv:/x", id="an export with a colon"),
    ],
)
def test_the_annotation_names_server_and_export(server: str, share: str, export: str) -> None:
    ending = release_plan(plan(), server=server, share=share, absolute_path=f"{export.rstrip('/')}/a")
    assert ending.share.export == export
    assert ending.path == "a"


@pytest.mark.parametrize(
    "path",
    [pytest.param("team/data", id="equal"), pytest.param("team", id="around"), pytest.param("team/data/x", id="in")],
)
@pytest.mark.parametrize("end", ["delete", "archive"])
def test_a_directory_that_a_live_pv_uses_stays(path: str, end: str) -> None:
    born = plan(parameters=BY_NAME)
    with pytest.raises(
        Occupied, match=r"as long as PV pvc-other \(claim team/other\) uses it or a part of it"
    ) as refusal:
        release_plan(born, on_delete=end, neighbours=among(neighbour(f"{EXPORT}/{path}")))
    assert refusal.value.blockers == ("pvc-other",)


def test_a_directory_that_is_kept_anyway_may_be_used_by_others() -> None:
    there = among(neighbour(f"{EXPORT}/team/data"))
    assert release_plan(plan(parameters=BY_NAME), on_delete="retain", neighbours=there).end == "retain"


@pytest.mark.parametrize(
    ("end", "others_end", "goes_on"),
    [
        pytest.param("delete", "delete", True, id="both are deleted: the first takes the directory for both"),
        pytest.param("archive", "archive", True, id="both are archived: the first takes the directory for both"),
        pytest.param("archive", "delete", True, id="an archive goes before a deletion"),
        pytest.param("delete", "archive", False, id="a deletion waits for an archive"),
        pytest.param("delete", "retain", False, id="a deletion waits for one that is kept"),
        pytest.param("archive", "retain", False, id="an archive waits for one that is kept"),
    ],
)
def test_of_two_that_leave_together_the_one_that_keeps_most_goes_first(
    end: str, others_end: str, goes_on: bool
) -> None:
    there = among(neighbour(f"{EXPORT}/team/data", leaving=others_end))
    born = plan(parameters=BY_NAME)
    if goes_on:
        assert release_plan(born, on_delete=end, neighbours=there).end == end
    else:
        with pytest.raises(Occupied):
            release_plan(born, on_delete=end, neighbours=there)


def test_no_two_that_leave_together_wait_for_each_other() -> None:
    ends = ("delete", "archive", "retain")
    born = plan(parameters=BY_NAME)

    def waits(end: str, other: str) -> bool:
        try:
            release_plan(born, on_delete=end, neighbours=among(neighbour(f"{EXPORT}/team/data", leaving=other)))
        except Occupied:
            return True
        return False

    assert not [(one, other) for one in ends for other in ends if waits(one, other) and waits(other, one)]


def test_a_pv_of_the_whole_share_made_by_somebody_else_keeps_nothing_from_its_end() -> None:
    root = among(neighbour(EXPORT, sharing=None))
    assert release_plan(plan(), on_delete="delete", neighbours=root).end == "delete"


@pytest.mark.parametrize(
    ("parameters", "changes", "is_expected"),
    [
        pytest.param({}, {}, True, id="the default path"),
        pytest.param(BY_NAME, {}, False, id="a path unlike the class's pattern"),
        pytest.param(BY_NAME, {"absolute_path": f"{EXPORT}/team/data"}, True, id="a path like the class's pattern"),
        pytest.param(BY_NAME, {"absolute_path": f"{EXPORT}/team/other"}, False, id="another claim's path"),
        pytest.param(BY_LABEL, {"absolute_path": f"{EXPORT}/any"}, False, id="a label could have been anything"),
        pytest.param(BY_LABEL, {"pv": "by-hand"}, False, id="a PV that is not called after its claim"),
        pytest.param(BY_LABEL, {"pv": "pvc-", "claim": Claim("team", "data", "")}, False, id="a claim without a UID"),
        pytest.param({"nope": ""}, {}, False, id="a class that was spoilt"),
    ],
)
def test_a_path_is_expected_when_the_class_would_have_put_this_claim_there(
    parameters: dict[str, str], changes: dict[str, Any], is_expected: bool
) -> None:
    assert release_plan(plan(), parameters=parameters, **changes).is_expected_path is is_expected


@pytest.mark.parametrize(
    ("pv", "path", "is_unique"),
    [
        pytest.param(f"pvc-{claim().uid}", f"team-data-pvc-{claim().uid}", True, id="its first part names the PV"),
        pytest.param(f"pvc-{claim().uid}", f"team/pvc-{claim().uid}", False, id="a later part names the PV"),
        pytest.param(f"pvc-{claim().uid}", "team-data", False, id="nothing names the PV"),
        pytest.param(f"pvc-{claim().uid[:8]}", f"team-data-pvc-{claim().uid}", False, id="a part of another's name"),
        pytest.param("a", "team-data", False, id="a name found in any word"),
    ],
)
def test_only_a_whole_uid_makes_a_path_unique(pv: str, path: str, is_unique: bool) -> None:
    ending = release_plan(plan(), pv=pv, absolute_path=f"{EXPORT}/{path}")
    assert ending.is_unique is is_unique


TEXTS = st.one_of(
    st.sampled_from(["", "/", "..", f"{EXPORT}/x", f"{SERVER}:{EXPORT}", SERVER, "delete"]), st.text(max_size=9)
)


@given(
    st.builds(
        ReleaseRequest,
        pv=TEXTS,
        claim=st.builds(Claim, namespace=TEXTS, name=TEXTS, uid=TEXTS),
        class_name=TEXTS,
        server=TEXTS,
        absolute_path=st.one_of(TEXTS, TEXTS.map(lambda path: f"{EXPORT}/{path}")),
        share=TEXTS,
        on_delete=TEXTS,
        mount_options=st.lists(TEXTS, max_size=2).map(tuple),
        parameters=st.none() | st.dictionaries(st.sampled_from(KNOWN), TEXTS, max_size=2),
    )
)
def test_whatever_a_pv_says_the_answer_is_a_plan_inside_the_share_or_a_refusal(request: ReleaseRequest) -> None:
    try:
        ending = make_release_plan(request, DEFAULT, nobody)
    except Refused:
        return
    assert request.absolute_path == f"{ending.share.export.rstrip('/')}/{ending.path}"
    assert ".." not in ending.path.split("/")
    assert not ending.path.lower().startswith((".berth/", "archived-"))
    assert ending.path not in ("", ".berth")
