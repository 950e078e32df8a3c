"""The doctor of a node on a kernel with NFS: mounts that hang, are stale or lose data, and a server that comes back."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from devcluster.kernel import ROOT, run_in_kernel

pytestmark = pytest.mark.slow


class Stages:
    """What the doctor said at each stage."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def report(self, stage: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self._folder / f"{stage}.json").read_text())
        return found

    def findings(self, stage: str) -> dict[str, dict[str, Any]]:
        return {finding["id"]: finding for finding in self.report(stage)["findings"]}


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    out = tmp_path_factory.mktemp("guest")
    env = {"PYTHON": sys.executable, "PYTHONPATH": f"{ROOT}/src", "PYTHONDONTWRITEBYTECODE": "1"}
    script = (Path(__file__).parent / "guest.sh").read_text()
    run_in_kernel(script, out_dir=out, deadline=250, env=env).check()
    return Stages(out)


@pytest.mark.timeout(400)
def test_a_node_whose_mounts_are_well_is_healthy(stages: Stages) -> None:
    assert stages.report("healthy")["findings"] == []
    assert stages.report("healthy")["exitCode"] == 0


def test_a_stale_mount_is_named_with_the_command_that_takes_it_away(stages: Stages) -> None:
    found = stages.findings("ill")["stale-handle"]
    assert found["about"] == [{"kind": "mount", "name": "/mnt/gone"}]
    assert found["commands"][0] == "umount -l /mnt/gone"
    assert stages.report("ill")["exitCode"] == 2


def test_a_soft_mount_that_is_writable_is_named(stages: Stages) -> None:
    found = stages.findings("ill")["soft-mount"]
    assert found["seen"]["en"] == "/mnt/soft, mounted from nas.example:/, is writable and `soft`"


def test_nfsv3_without_statd_is_named(stages: Stages) -> None:
    assert stages.findings("ill")["statd-missing"]["about"] == [{"kind": "mount", "name": "/mnt/v3"}]


def test_a_server_whose_name_is_gone_is_named_before_the_next_boot_fails(stages: Stages) -> None:
    found = stages.findings("ill")["server-unresolved"]
    assert found["about"] == [{"kind": "server", "name": "nas.example"}]


def test_a_mount_that_hangs_is_found_without_hanging(stages: Stages) -> None:
    found = stages.findings("hanging")
    assert found["server-not-responding"]["about"] == [
        {"kind": "server", "name": "127.0.0.1"},
        {"kind": "mount", "name": "/mnt/hard"},
    ]
    assert stages.report("hanging")["seconds"] <= 15


def test_the_process_that_waits_for_it_is_named(stages: Stages) -> None:
    found = stages.findings("hanging")["processes-wait"]
    assert found["about"][0]["name"].startswith("stat (")


def test_a_server_that_came_back_leaves_no_failure(stages: Stages) -> None:
    assert "server-not-responding" not in stages.findings("mended")
    assert "processes-wait" not in stages.findings("mended")
