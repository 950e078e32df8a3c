"""When the trash is emptied."""

from __future__ import annotations

import pytest

from berth.reconcilers.purge import PATIENCE, patience


@pytest.mark.parametrize(("in_line", "seconds"), [(0, 0.0), (1, PATIENCE), (10_000, PATIENCE)])
def test_releases_come_first_and_trash_never_waits_for_long(in_line: int, seconds: float) -> None:
    assert patience(in_line) == seconds
    assert PATIENCE < 10
