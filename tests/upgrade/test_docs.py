"""docs/upgrade.md says of every version what is so, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import berth
from berth import __version__
from berth.operations.install_plan import NEWEST, OLDEST
from berth.volumes.parameters import KNOWN
from berth.volumes.records import FORMAT
from tests.upgrade.fixture import VERSIONS

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "docs" / name for name in ("upgrade.md", "upgrade.zh-CN.md")]
RELEASED = re.findall(r"(?m)^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text())
"""The newest first."""


def rows(page: Path, head: str) -> list[list[str]]:
    """The cells of each row of the tables whose first column begins with that."""
    found = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.read_text().splitlines()
        if line.startswith(f"| {head}")
    ]
    assert found, f"{page.name} has no row `| {head}`"
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_released_version_has_a_row(page: Path) -> None:
    told = {row[0]: row[1:] for number in RELEASED for row in rows(page, number)}
    assert list(told) == RELEASED
    formats = [int(each[0]) for each in told.values()]
    assert formats == sorted(formats, reverse=True), "a format never goes back"
    assert formats[0] <= FORMAT
    for at, version in enumerate(RELEASED):
        earlier = RELEASED[at + 1 :]
        upgraded, back = (set(re.findall(r"\d+\.\d+\.\d+", told[version][column])) for column in (2, 3))
        assert back <= upgraded <= set(earlier)
        assert all(told[one][0] == told[version][0] for one in back)
    if RELEASED[0] == __version__:
        kubernetes = "–".join(".".join(map(str, one)) for one in (OLDEST, NEWEST))
        assert told[__version__][:2] == [str(FORMAT), kubernetes]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_keeps_its_meaning_is_what_the_code_knows(page: Path) -> None:
    parameters = [row for row in rows(page, "`") if len(row) == 2]
    annotations = rows(page, "`berth.io/")
    assert [row[0].strip("`") for row in parameters] == list(KNOWN)
    sources = "".join(path.read_text() for path in Path(berth.__file__).parent.rglob("*.py"))
    assert {row[0].strip("`") for row in annotations} == set(re.findall(r'"(berth\.io/[a-z-]+)"', sources))
    since = {row[1] for row in parameters} | {row[2] for row in annotations}
    assert since <= {*RELEASED, __version__}


def test_a_share_of_every_released_version_is_kept() -> None:
    assert sorted(RELEASED) == VERSIONS
