"""`make release` as people call it."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.__main__ import main


@pytest.mark.parametrize("is_beside_one", [True, False])
def test_a_folder_with_something_else_in_it_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], is_beside_one: bool
) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  berth-0.0.9-linux-amd64\n" if is_beside_one else "")
    assert main(["--output", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        f"release: {tmp_path} holds thesis.txt, which is of no release and would be lost: name another folder\n"
    )
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
