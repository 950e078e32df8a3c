"""CHANGELOG.md has the form of Keep a Changelog: <https://keepachangelog.com/en/1.1.0/>."""

from __future__ import annotations

import datetime
import re

from berth import __version__
from deploy.generated import HERE

TEXT = (HERE.parent / "CHANGELOG.md").read_text()
KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
VERSION = re.compile(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d{2}-\d{2})( \[YANKED\])?")


def sections() -> dict[str, str]:
    """What stands below each heading of a version."""
    _, *parts = re.split(r"(?m)^## ", TEXT)
    return {heading: text for heading, _, text in (part.partition("\n") for part in parts)}


def test_what_is_not_released_stands_first_and_the_newest_version_next() -> None:
    unreleased, *versions = sections()
    assert unreleased == "[Unreleased]"
    said = [match.groups() for one in versions if (match := VERSION.fullmatch(one))]
    assert len(said) == len(versions), versions
    numbers = [tuple(map(int, one[:3])) for one in said]
    days = [datetime.date.fromisoformat(one[3]) for one in said]
    assert numbers == sorted(set(numbers), reverse=True)
    assert days == sorted(days, reverse=True)


def test_this_version_has_its_section() -> None:
    assert f"[{__version__}] - " in TEXT


def test_changes_are_sorted_by_their_kinds() -> None:
    for heading, text in sections().items():
        kinds = re.findall(r"(?m)^### (.*)$", text)
        assert kinds == [one for one in KINDS if one in kinds], heading
        introduction, *parts = re.split(r"(?m)^### .*\n", text)
        assert not introduction.lstrip().startswith("-"), f"{heading}: a change of no kind"
        assert all(part.startswith("- ") for part in parts), f"{heading}: a kind with nothing below it"


def test_lines_can_be_read_in_an_editor() -> None:
    assert not [line for line in TEXT.splitlines() if len(line) > 150]
