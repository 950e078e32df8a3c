"""No false alarms: ordinary logs of all that is around NFS, and texts that speak of its failures."""

from __future__ import annotations

from pathlib import Path

import pytest

from berth.doctor.explain import Explainer

LOGS = sorted((Path(__file__).parent / "innocent").glob("*.log"))
ROOT = Path(__file__).resolve().parents[2]


def findings_in(path: Path) -> list[str]:
    explainer = Explainer()
    with path.open("rb") as stream:
        explainer.read(stream)
    return [f"{finding.id}: {finding.evidence[0]}" for finding in explainer.explain().report.findings]


def test_there_are_enough_lines_to_judge_by() -> None:
    assert sum(len(log.read_bytes().splitlines()) for log in LOGS) >= 2000


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_nothing_is_found_in_an_ordinary_log(log: Path) -> None:
    assert findings_in(log) == []


@pytest.mark.parametrize("name", ["docs/architecture.md", "CHANGELOG.md"])
def test_nothing_is_found_in_texts_about_it(name: str) -> None:
    assert findings_in(ROOT / name) == []


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_in_the_readme_the_event_that_it_shows_is_found_and_nothing_else(name: str) -> None:
    (found,) = findings_in(ROOT / name)
    assert found.startswith(
        "class-parameter-refused: Warning ProvisioningFailed parameter archiveOnDelet: is not known"
    )
