"""An answer that can't be written ends in one sentence and the code of a failure."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.command import PROGRAM, environment

LONG = ["doctor", "list", "-o", "json"]


@pytest.mark.parametrize("arguments", [["--help"], LONG, ["version"], ["install", "--server=a", "--path=/a"]])
@pytest.mark.parametrize(
    ("lang", "says"), [("C.UTF-8", "could not be written"), ("zh_CN.UTF-8", "结果未能完整写出：设备上没有剩余空间")]
)
def test_a_full_disk(arguments: list[str], lang: str, says: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [str(PROGRAM), *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
            env=environment({"LC_ALL": lang}),
        )  # fmt: skip
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("berth: ")
    assert says in line


def test_a_pipe_that_nobody_reads() -> None:
    with subprocess.Popen(
        [str(PROGRAM), *LONG], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment({})
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        (line,) = process.stderr.read().splitlines()
        assert process.wait(60) == 2
    assert line == "berth: the answer could not be written to its end: Broken pipe"


@pytest.mark.parametrize("closed", ["version >&-", "plan -f - <&-", "doctor explain <&-"])
def test_a_stream_that_the_shell_closed_breaks_nothing(closed: str) -> None:
    shell = f"'{PROGRAM}' {closed}"
    done = subprocess.run(
        ["sh", "-c", shell], capture_output=True, text=True, timeout=60, check=False, env=environment({})
    )
    assert "Traceback" not in done.stderr
