"""init, lint, status and changes where a kernel serves NFS, and a kernel client mounts what was exported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from devcluster.kernel import ROOT, run_in_kernel

pytestmark = pytest.mark.slow


@pytest.mark.timeout(600)
def test_a_bare_host_becomes_a_server_that_a_client_mounts(tmp_path: Path) -> None:
    # The guest has made /run/rpcbind for its own use; Debian's init script wants it to be another user's.
    script = f"rmdir /run/rpcbind && exec {sys.executable} -m tests.nfsserver.guest_scenario"
    env = {"PYTHONPATH": f"{ROOT}/src:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    result = run_in_kernel(script, out_dir=tmp_path, deadline=500, env=env)
    result.check()
    assert "all scenes done" in result.output
