"""No false alarms: ordinary logs of all that is around NFS, and texts that speak of its failures."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest

from berth.doctor.explain import Explainer
from tests.doctor.innocents import programs

LOGS = sorted((Path(__file__).parent / "innocent").glob("*.log"))
ROOT = Path(__file__).resolve().parents[2]


PROGRAMS = dict(programs())


def findings_in(path: Path) -> list[str]:
    return findings_of(path.read_bytes())


def findings_of(text: bytes) -> list[str]:
    explainer = Explainer()
    explainer.read(io.BytesIO(text))
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
def test_in_the_readme_what_it_quotes_of_the_articles_warning_is_found_and_nothing_else(name: str) -> None:
    found = {each.partition(":")[0] for each in findings_in(ROOT / name)}
    assert found == {"io-error", "lock-refused", "selflink-empty"}


def test_the_programs_are_many_and_so_are_their_lines() -> None:
    assert len(PROGRAMS) >= 25
    assert len({line for lines in PROGRAMS.values() for line in lines}) >= 10_000


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_is_found_in_what_a_program_prints_that_has_no_nfs(program: str) -> None:
    assert findings_of("\n".join(PROGRAMS[program]).encode()) == []


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_found_where_all_of_them_write_into_one_log(seed: int) -> None:
    lines = [line for lines in PROGRAMS.values() for line in lines]
    random.Random(seed).shuffle(lines)  # lines, no secrets
    assert findings_of("\n".join(lines).encode()) == []
