"""Berth's own sentences are known to Berth's doctor: each is explained, and its cure is a command that leads on."""

from __future__ import annotations

import io
from collections.abc import Iterator

from berth.doctor.explain import Explainer
from berth.doctor.messages import matches
from berth.findings.finding import Finding
from tests.doctor.own_sentences import PV, sentences

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
        for event in EVENTS:
            findings = explained(event.format(said.text))
            if not findings or not all(each.commands for each in findings):
                yield f"{said.where} {said.text} -> {[each.id for each in findings]}"
        if not matches(said.text):
            yield f"{said.where} {said.text}: by itself"


def test_each_is_explained_with_a_command() -> None:
    assert sorted(set(unknown())) == []
