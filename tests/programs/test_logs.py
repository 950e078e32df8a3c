"""On a terminal a line begins with what it is about and a sentence, and its fields stand behind; else it is JSON."""

from __future__ import annotations

import json
import re
import subprocess
import sys

PROGRAM = """
import structlog
from berth.programs.process.logs import configure_logs
configure_logs({form!r}, "info")
log = structlog.get_logger()
log.info("reconciled", key="ddddd/demo4nfs", did="provisioned pvc-1 at nas:/srv/a", attempt=1, seconds=0.3)
log.warning("will retry", key="ddddd/demo4nfs", why="connection refused", attempt=2)
log.info("listening", port=8080)
log.info("odd", key="a\\x1b[2Jb")
try:
    1 / 0
except ZeroDivisionError as error:
    log.error("failed", key="a/b", why="ZeroDivisionError", exc_info=error)
"""


def logged(form: str) -> list[str]:
    argv = [sys.executable, "-c", PROGRAM.format(form=form)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_for_people_key_and_sentence_come_first() -> None:
    lines = logged("human")
    stamp = re.compile(r"\d\d:\d\d:\d\d (info|warning|error) *  ")
    assert all(stamp.match(line) for line in lines[:5])
    assert [stamp.sub("", line) for line in lines[:5]] == [
        "ddddd/demo4nfs: provisioned pvc-1 at nas:/srv/a  attempt=1 seconds=0.3",
        "ddddd/demo4nfs: will retry: connection refused  attempt=2",
        "listening  port=8080",
        "a\\x1b[2Jb: odd",
        "a/b: failed: ZeroDivisionError",
    ]
    assert lines[5] == "Traceback (most recent call last):"
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_for_programs_each_line_is_an_object() -> None:
    first = json.loads(logged("json")[0])
    assert (first["event"], first["key"], first["attempt"]) == ("reconciled", "ddddd/demo4nfs", 1)
