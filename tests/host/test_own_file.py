"""Which file this command is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from berth.host.own_file import note_start, own_file


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    note_start("")


def test_it_is_known_wherever_the_process_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    note_start("./berth-0.1.0-linux-amd64")
    monkeypatch.chdir("/")
    assert own_file() == tmp_path / "berth-0.1.0-linux-amd64"


def test_in_a_package_there_is_none() -> None:
    note_start("")
    assert own_file() is None
