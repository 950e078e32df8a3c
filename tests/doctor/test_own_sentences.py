"""Berth's own sentences are known to Berth's doctor: each is explained, and its cure is a command that leads on."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from berth.doctor.cluster import claims, volumes
from berth.doctor.cluster.outages import Outages
from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.stakes import judge_outages
from berth.doctor.explain import Explainer
from berth.doctor.messages import matches
from berth.findings.finding import Finding
from berth.programs.controller import PROGRAM
from berth.settings.errors import SettingError
from tests.doctor.cluster.test_judgements import claim, event, provisioner, snapshot, volume
from tests.doctor.own_sentences import PV, sentences

SETTINGS = PROGRAM.settings
SAID = tuple(sentences())
EVENTS = (
    "default  3m  Warning  ProvisioningFailed  persistentvolumeclaim/data  {}",
    f"default  3m  Warning  VolumeFailedDelete  persistentvolume/{PV}  {{}}",
)


def explained(text: str) -> tuple[Finding, ...]:
    """What is explained in a text."""
    explainer = Explainer()
    explainer.read(io.BytesIO(text.encode()))
    return explainer.explain().report.findings


def test_they_are_found_in_the_code() -> None:
    assert len({each.where for each in SAID}) > 100
    texts = {each.text for each in SAID}
    assert any("needs the label '" in each for each in texts)
    assert any("no space is left on the server" in each for each in texts)


def unknown() -> Iterator[str]:
    """The sentences that nobody explains, or whose cure is no command."""
    for said in SAID:
        for line in EVENTS:
            findings = explained(line.format(said.text))
            if not findings or not all(each.commands for each in findings):
                yield f"{said.where} {said.text} -> {[each.id for each in findings]}"
        if not matches(said.text):
            yield f"{said.where} {said.text}: by itself"


def test_each_is_explained_with_a_command() -> None:
    assert sorted(set(unknown())) == []


def test_as_an_event_of_a_claim_or_a_pv_each_is_told_with_a_cure_of_its_own() -> None:
    """`doctor claim` and `doctor volume`: never as somebody's words of which no more is known."""
    served = provisioner("berth", "x/nfs", "berth:1")
    for said in (each for each in SAID if each.kind not in ("log", "GiveUp", "LeadershipLost")):
        failed = event("PersistentVolumeClaim", "one", "ProvisioningFailed", said.text)
        kept = event("PersistentVolume", "pv", "VolumeFailedDelete", said.text, namespace="")
        seen = snapshot(
            claims=[claim("one")], volumes=[volume("pv", "/e/pv", phase="Released")], pods=[served],
            events=[failed, kept],
        )  # fmt: skip
        provisioners = Provisioners(seen).with_outages(Outages.of(seen, {}))
        found = [*judge_outages(seen, provisioners)]
        found += [*claims.judge_pending(seen, provisioners), *volumes.judge_ends(seen, provisioners)]
        told = [each for each in found if isinstance(each, Finding)]
        assert told, said
        assert all(each.commands for each in told), said
        assert {each.id for each in told}.isdisjoint({"volume-failed", "claim-waits-for-provisioner"}), said
        assert not any("{" in each.seen.en for each in told), said
        fallback = [each for each in told if each.id == "claim-refused" and "gets no volume: " in each.seen.en]
        assert not fallback, said


@pytest.mark.parametrize("variable", sorted(each.variable for each in SETTINGS if each.variable))
def test_a_setting_that_can_not_be_used_is_explained(variable: str) -> None:
    (finding,) = explained(f"berth: {SettingError(variable, 'expected something else')}")
    assert finding.id == "berth-settings-wrong"
    assert f"{variable}: expected something else" in finding.seen.en
