"""The default class, and which one is proposed where a claim names none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from berth.doctor.cluster import claims, default_class
from berth.doctor.cluster.outages import Outage, Outages
from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.findings.versions import Version
from berth.texts.text import same
from tests.doctor.cluster.test_judgements import claim, event, ids, provisioner, snapshot, storage_class, volume

MARKED = {"storageclass.kubernetes.io/is-default-class": "true"}


def test_default_classes() -> None:
    two = [storage_class("one", annotations=MARKED), storage_class("two", annotations=MARKED)]
    assert ids(default_class.judge_default_class, snapshot()) == ["default-class-none"]
    assert ids(default_class.judge_default_class, snapshot(classes=two[:1])) == []
    assert ids(default_class.judge_default_class, snapshot(classes=two)) == ["default-class-several"]
    (finding,) = default_class.judge_default_class(seen := snapshot(classes=two), Provisioners(seen))
    assert finding.do.en == "Keep one. To keep two, the newest, and no other:"
    assert finding.commands == ("berth class default two",)
    two[1].provisioner = "x/nsf"
    (finding,) = default_class.judge_default_class(seen, Provisioners(seen))
    assert finding.seen.en == "2 classes are the default: two, one"
    assert finding.do.zh == "只保留一个。最新的 two 无法提供卷；若保留 one："
    assert finding.commands == ("berth class default one",)
    assert ids(default_class.judge_default_class, snapshot(classes=[], unseen=frozenset(["storageclasses"]))) == []


@pytest.mark.parametrize(
    ("version", "severity"),
    [(Version(1, 20), "failure"), (Version(1, 25), "failure"), (Version(1, 26), "warning"), (None, "warning")],
)
def test_several_defaults_are_a_failure_where_the_api_server_refuses_claims_for_it(
    version: Version | None, severity: str
) -> None:
    two = [storage_class("one", annotations=MARKED), storage_class("two", annotations=MARKED)]
    seen = replace(snapshot(classes=two), version=version)
    (finding,) = default_class.judge_default_class(seen, Provisioners(seen))
    assert finding.severity == severity


def test_of_several_defaults_one_that_is_refused_is_not_kept() -> None:
    berth = provisioner("berth", "x/nfs", "berth:1")
    two = [
        storage_class("one", annotations=MARKED),
        storage_class("two", annotations=MARKED, parameters={"archiveOnDelet": "true"}),
    ]
    seen = snapshot(classes=two, pods=[berth])
    (finding,) = default_class.judge_default_class(seen, Provisioners(seen))
    assert finding.commands == ("berth class default one",)


def proposed(seen: Snapshot, outages: Outages = Outages()) -> str | None:  # noqa: B008 - a value
    """The class that is proposed for a claim without one; each way to say it says the same."""
    provisioners = Provisioners(seen).with_outages(outages)
    (finding,) = default_class.judge_default_class(seen, provisioners)
    of_claim = next(each for each in claims.judge_pending(seen, provisioners) if each.id == "claim-without-class")
    named = [each.removeprefix("berth class default ") for each in finding.commands if each.startswith("berth")]
    of_it = [each.name for each in of_claim.about if each.kind == "class"]
    assert ("none of the classes" in finding.do.en.lower()) == (not named)
    assert of_it == named
    return named[0] if named else None


def test_the_class_that_is_proposed_is_one_that_works() -> None:
    berth = provisioner("berth", "x/nfs", "berth:1")
    share = {"server": "10.0.0.1", "share": "/e"}
    refused = storage_class("a-refused", parameters={**share, "archiveOnDelet": "true"})
    unserved = storage_class("b-unserved", "y/nfs")
    down = storage_class("c-down", parameters={"server": "10.0.0.2", "share": "/e"})
    warned = storage_class("d-warned", parameters=share)
    works = storage_class("e-works", parameters=share)
    waits = claim("waits", "d-warned")
    told = event("PersistentVolumeClaim", "waits", "ProvisioningFailed", "parameter pathPattern: needs the label team")
    seen = snapshot(
        classes=[refused, unserved, down, warned, works], pods=[berth], claims=[claim("open", None), waits],
        events=[told],
    )  # fmt: skip
    outages = Outages({"10.0.0.2:/e": Outage("10.0.0.2:/e", "share-hangs", same("no answer"))})
    assert proposed(seen, outages) == "e-works"
    assert proposed(replace(seen, classes=[refused, unserved, down, warned]), outages) is None
    assert proposed(replace(seen, classes=[down, works]), Outages()) == "c-down"
    used = volume("pv", "/e/pv", storageClassName="e-works")
    assert proposed(replace(seen, classes=[down, works], volumes=[used])) == "e-works"
