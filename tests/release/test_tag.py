"""A tag stands on the commit whose version it is, and that version has its part of the changelog."""

from __future__ import annotations

from pathlib import Path

import pytest

from berth import __version__
from release.tag import WrongTag, check, main

TAG = f"v{__version__}"
TEXT = f"""\
# Changelog

## [Unreleased]

## [{__version__}] - 2026-11-28

### Added
- This.

### Fixed
- That.

## [0.0.1] - 2026-01-01

### Added
- Earlier.
"""


def test_the_versions_part_of_the_changelog_is_what_is_said_of_it() -> None:
    assert check(TAG, TEXT) == "### Added\n- This.\n\n### Fixed\n- That."
    assert check(TAG, TEXT.partition("## [0.0.1]")[0]).endswith("- That.")


@pytest.mark.parametrize("tag", ["v9.9.9", __version__, f"{TAG}-rc1", ""])
def test_another_tag_is_refused(tag: str) -> None:
    with pytest.raises(WrongTag, match=f"its tag is {TAG}"):
        check(tag, TEXT)


def test_a_version_that_is_not_in_the_changelog_is_refused() -> None:
    with pytest.raises(WrongTag, match=r"CHANGELOG.md has no heading"):
        check(TAG, TEXT.replace(f"[{__version__}] - 2026-11-28", f"[{__version__}]"))


def test_changes_that_no_version_has_are_refused() -> None:
    with pytest.raises(WrongTag, match=r"changes below \[Unreleased\]"):
        check(TAG, TEXT.replace("## [Unreleased]\n", "## [Unreleased]\n\n### Added\n- Later.\n"))


def test_it_is_said_by_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["v9.9.9"]) == 1
    assert capsys.readouterr().err.startswith("release.tag: the tag is v9.9.9")
    (tmp_path / "CHANGELOG.md").write_text(TEXT)
    monkeypatch.setattr("release.tag.CHANGELOG", tmp_path / "CHANGELOG.md")
    assert main([TAG]) == 0
    assert "### Added" in capsys.readouterr().out
    assert main([TAG, "--home"]) == 0
    assert "registry=" in capsys.readouterr().out
