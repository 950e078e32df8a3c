"""What the take-over finds wrong, or read otherwise, in classes and volumes of a reference provisioner."""

from __future__ import annotations

import pytest

from berth.operations.errors import Stopped
from berth.operations.takeover.classes import judge_classes
from berth.operations.takeover.plan import Wanted, choose
from berth.operations.takeover.volumes import judge_volumes
from tests.operations.takeover.things import EXPORT, default_path, group, of_class, volume

DEFAULT = of_class({"archiveOnDelete": "true"})


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({}, []),
        ({"archiveOnDelete": "false"}, []),
        ({"onDelete": "retain", "pathPattern": "${.PVC.namespace}/${.PVC.name}"}, []),
        ({"archiveOnDelete": "true", "onDelete": "", "pathPattern": ""}, []),
        ({"stepSize": "1"}, []),
        ({"archiveOnDelet": "true"}, ["class-refused"]),
        ({"mountOptions": "vers=4.1"}, ["class-refused"]),
        ({"onDelete": "Delete"}, ["class-refused"]),
        ({"pathPattern": "${.PVC.nam}"}, ["class-refused"]),
        ({"archiveOnDelete": ""}, ["class-refused"]),
        ({"server": "10.9.9.9", "share": "/other"}, ["class-elsewhere"]),
        ({"server": "10.0.0.1", "share": EXPORT}, []),
        ({"uid": "1000"}, ["class-heeded"]),
        ({"onDelete": "archive", "archiveOnDelete": "false"}, ["class-archives"]),
        ({"onDelete": "archive"}, []),
        ({"pathPattern": "${.PVC.labels.team}"}, ["class-not-unique"]),
        ({"pathPattern": "${.PVC.labels.team}", "sharedPaths": "allow"}, ["class-heeded"]),
    ],
    ids=lambda value: ",".join(map("=".join, value.items())) or "none" if isinstance(value, dict) else "",
)
def test_parameters_that_change_their_meaning_are_told(parameters: dict[str, str], told: list[str]) -> None:
    assert [one.id for one in judge_classes(group([of_class(parameters)], []))] == told


def test_mount_options_are_told() -> None:
    (refused,) = judge_classes(group([of_class({}, mount_options=["nfsver=4.1", "soft"])], []))
    assert refused.id == "class-refused"
    assert "probably `nfsvers=4.1` is meant" in refused.seen.en
    assert "很可能应为 `nfsvers=4.1`" in refused.seen.zh
    (odd,) = judge_classes(group([of_class({}, mount_options=["bg", "hard", "nfsvers=3"])], []))
    assert (odd.id, odd.severity) == ("class-options", "note")
    assert "the pod writes into the node's own directory" in odd.seen.en
    assert list(judge_classes(group([of_class({}, mount_options=["hard", "nfsvers=4.1", "noatime"])], []))) == []


def test_a_refused_class_is_told_with_the_reason_and_the_way_out() -> None:
    (finding,) = judge_classes(group([of_class({"path": "/x"})], [volume(1, default_path(1))]))
    assert finding.severity == "warning"
    assert "parameter path: is not known" in finding.seen.en
    assert "The old provisioner ignored this parameter" in finding.seen.en
    assert "(1 PV of this class)" in finding.seen.en
    assert finding.commands[-1] == "kubectl replace --force -f nfs.yaml"


def test_volumes_as_the_reference_lays_them_out_are_nothing_to_tell_of() -> None:
    made = group([DEFAULT], [volume(1, default_path(1)), volume(2, default_path(2))])
    assert list(judge_volumes(made)) == []
    assert all(one.is_proven for one in made.volumes)


def test_what_is_wrong_with_volumes_is_told() -> None:
    nested = of_class({"pathPattern": "${.PVC.namespace}/${.PVC.name}"}, name="nested")
    made = group(
        [DEFAULT, nested],
        [
            volume(1, EXPORT),
            volume(2, f"{EXPORT}/shop/data-2", "nested"),
            volume(3, f"{EXPORT}/shop/data-2", "nested"),
            volume(4, default_path(4), "gone"),
            volume(5, "/elsewhere/data-5"),
            volume(6, f"{EXPORT}/moved-by-hand"),
            volume(7, default_path(7)),
        ],
    )
    told = {one.id: [each.name[-1] for each in one.about if each.kind == "volume"] for one in judge_volumes(made)}
    assert told == {
        "pv-at-root": ["1"],
        "pv-shared": ["2", "3"],
        "class-gone": ["4"],
        "pv-elsewhere": ["5"],
        "pv-unproven": ["3", "6"],
        "pv-nested": ["2", "3"],
    }


def test_a_label_that_was_missing_leads_to_a_directory_that_contains_others() -> None:
    """The reference left it out; the shorter path is nobody's own."""
    pattern = of_class({"pathPattern": "${.PVC.namespace}/${.PVC.labels.app}"})
    made = group([pattern], [volume(1, f"{EXPORT}/shop"), volume(2, f"{EXPORT}/shop/web")])
    told = {one.id for one in judge_volumes(made)}
    assert {"pv-shared", "pv-unproven"} <= told
    assert [one.is_proven for one in made.volumes] == [False, False], "a label alone can lead many claims there"


def test_a_view_of_the_whole_share_made_by_hand_stands_beside_nobody() -> None:
    view = volume(9, EXPORT, provisioner="")
    assert list(judge_volumes(group([DEFAULT], [volume(1, default_path(1)), view]))) == []


def test_an_old_volume_gets_the_record_that_berth_would_have_written() -> None:
    made = group([of_class({"archiveOnDelete": "false"})], [volume(1, default_path(1))])
    record = made.volumes[0].record("the-cluster")
    assert (record.path, record.on_delete, record.capacity) == (
        default_path(1).removeprefix(f"{EXPORT}/"),
        "delete",
        1 << 30,
    )
    assert (record.namespace, record.claim, record.released) == ("shop", "data-1", "")


def test_a_name_that_is_nobodys_is_told_with_those_that_are() -> None:
    old = group([], []).old
    with pytest.raises(Stopped, match="there is no old provisioner a/b; there are kube-system/nfs"):
        choose(old, Wanted(only=("a/b",)).only)
