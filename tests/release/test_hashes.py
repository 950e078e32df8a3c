"""What the image is made of is named byte for byte, and by the same versions as everything is tested with."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from release.hashes import BUILDS, listed, needed, pins
from release.wheels import BUILDING, RUNNING


@pytest.mark.parametrize("path", [RUNNING, BUILDING], ids=lambda path: path.name)
def test_the_hashes_are_those_of_the_pinned_versions(path: Path) -> None:
    text = path.read_text()
    known = listed(text)
    wanted = needed() if path == RUNNING else set(BUILDS)
    assert set(known) == wanted, "run `.venv/bin/python -m release.hashes`"
    assert {name: version for name, (version, _) in known.items()} == {name: pins()[name] for name in wanted}
    # Nothing else is in it: neither an option that weakens it, nor an address.
    assert "".join(re.split(r"#.*|\S+==\S+|--hash=sha256:[0-9a-f]{64}|[\s\\\\]+", text)) == ""


def test_a_wheel_with_another_content_is_refused(tmp_path: Path) -> None:
    version, _ = listed(BUILDING.read_text())["setuptools"]
    info = f"setuptools-{version}.dist-info"
    with zipfile.ZipFile(tmp_path / f"setuptools-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: setuptools\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    command = [sys.executable, "-m", "pip", "--isolated", "install", "--no-index", f"--find-links={tmp_path}"]
    command += ["--require-hashes", f"--target={tmp_path}/out", f"--requirement={BUILDING}"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert answer.returncode != 0
    assert "DO NOT MATCH THE HASHES" in answer.stderr
