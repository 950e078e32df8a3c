"""What the caches keep of objects whose annotations strangers filled up."""

from __future__ import annotations

import pytest

from berth.objects import translation
from berth.reconcilers.slim import MOST_BYTES, slim
from berth.volumes.errors import Refused
from berth.volumes.plan import DefaultShare, make_plan
from tests.objects.objects_of import PROVISIONER, claim, storage_class, volume


def test_ordinary_annotations_stay_as_they_are() -> None:
    ordinary = {"team": "shop", "kubectl.kubernetes.io/last-applied-configuration": "{}" * 2000, "where": "a" * 1024}
    kept = slim(claim(metadata={"annotations": ordinary})).annotations
    assert (kept["team"], kept["where"]) == ("shop", "a" * 1024)
    assert kept["volume.beta.kubernetes.io/storage-provisioner"] == PROVISIONER
    assert slim(claim(metadata={"annotations": None})).metadata.annotations is None


def test_what_only_the_doctor_reads_is_not_kept() -> None:
    kept = slim(
        volume(metadata={"creationTimestamp": "2026-11-24T03:00:00Z"}, status={"message": "m", "phase": "Bound"})
    )
    assert (kept.metadata.creationTimestamp, kept.spec.accessModes, kept.status.message) == (None, None, "")
    assert kept.status.phase == "Bound"
    assert slim(claim()).spec.accessModes  # they go onto its PV


@pytest.mark.parametrize(
    "annotations",
    [
        pytest.param({"where": "a/" * 125_000}, id="one that is long"),
        pytest.param({f"k{number}": "v" for number in range(30_000)}, id="very many"),
        pytest.param({f"a{number}": "v" * 1000 for number in range(250)}, id="many long ones"),
    ],
)
def test_what_is_kept_is_bounded_and_what_berth_goes_by_is_kept(annotations: dict[str, str]) -> None:
    a_claim, a_volume = claim(metadata={"annotations": annotations}), volume(metadata={"annotations": annotations})
    for before, after in ((claim(), slim(a_claim)), (volume(), slim(a_volume))):
        kept = after.annotations
        assert sum(len(key) + len(value) for key, value in kept.items()) <= MOST_BYTES
        assert before.annotations.items() <= kept.items()


def test_a_value_that_was_cut_is_still_refused_as_too_long() -> None:
    asking = slim(claim(metadata={"annotations": {"where": "a/" * 125_000 + "b"}}))
    request = translation.request_of(asking, storage_class(parameters={"pathPattern": "${.PVC.annotations.where}"}))
    with pytest.raises(Refused, match="longer than 1024 bytes"):
        make_plan(request, DefaultShare("nfs.example", "/srv"), lambda *_: ())
