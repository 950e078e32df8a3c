"""Thousands of ill objects are still read by a person."""

from __future__ import annotations

from berth.doctor.cluster.folding import fold
from berth.doctor.known import find
from berth.findings.finding import Subject
from berth.findings.render import say_finding


def waiting(number: int) -> list[Subject]:
    """So many claims."""
    return [Subject("claim", f"a/claim-{each:04}") for each in range(number)]


def test_many_of_a_kind_are_told_as_one_with_all_objects() -> None:
    (finding,) = fold(
        find("claim-waits-for-provisioner", each, variant="claim", provisioner="x/nfs") for each in waiting(5000)
    )
    assert (len(finding.about), finding.count) == (5000, 5000)
    line = next(say_finding(finding, "en")).text
    assert "also claim a/claim-0001, claim a/claim-0002, claim a/claim-0003 and 4996 more; seen 5000 times" in line


def test_few_and_others_stay_apart() -> None:
    few = [find("claim-waits-for-provisioner", each, variant="claim", provisioner="x/nfs") for each in waiting(3)]
    others = [find("claim-waits-for-consumer", each, variant="claim") for each in waiting(2)]
    assert fold([*few, *others]) == [*few, *others]


def test_different_causes_are_not_folded() -> None:
    which = {"near": True, "rename": True}
    causes = [
        find(
            "class-no-provisioner", Subject("class", f"c{n}"), variant=which, provisioner="x", nearest=f"y{n}", edit="s"
        )
        for n in range(9)
    ]
    assert len(fold(causes)) == 9
