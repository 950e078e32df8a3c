"""What can be asked of the bench, and which parts run then."""

from __future__ import annotations

import pytest

from benchmarks import __main__ as bench
from benchmarks.parts import PARTS, USUAL


def test_the_usual_parts_run_unless_others_are_asked_for() -> None:
    assert bench._parts(bench._options([])) == USUAL
    assert bench._parts(bench._options(["--full"])) == tuple(PARTS)
    assert bench._parts(bench._options(["--only", "purge, start", "--full"])) == ("purge", "start")


def test_full_means_more_claims_and_quick_means_few() -> None:
    assert bench._sizes(bench._options(["--full"])).claims == 1000
    assert bench._sizes(bench._options(["--full", "--claims", "7"])).claims == 7
    assert bench._sizes(bench._options(["--full", "--quick"])).many_files == 5000


@pytest.mark.parametrize(
    "arguments",
    [
        ["--only", "purges"],
        ["--claims", "0"],
        ["--claims", "-5"],
        ["--runs", "1.5"],
        ["--release", "v0.1.0"],
        ["--release", "0.1.0", "--quick"],
        ["--release", "0.1.0", "--only", "purge"],
        ["--release", "0.1.0", "--runs", "1"],
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_starts(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        bench.main(arguments)
    assert caught.value.code == 2
    assert "error: " in capsys.readouterr().err
