"""Installing the server's packages for real: on a throw-away copy of this machine, where they were removed before."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from berth.aio import command
from berth.nfsserver.exports.wanted import WantedExport
from berth.nfsserver.setup.machine import read_machine
from berth.nfsserver.setup.perform import perform_all, plan_for
from berth.nfsserver.setup.plan import InitPlan
from tests.nfsserver.room import Room, run_inside

PATH = "/srv/nfs/k8s"
NO_SERVICES = "#!/bin/sh\nexit 101\n"
"""What Debian's package scripts ask before they start or stop anything."""


class Copy(Room):
    """This machine's files below a throw-away layer, as one's own root."""

    def enter(self) -> None:
        super().enter()
        layer, root = self.below / "layer", self.below / "root"
        root.mkdir()
        self.mount("tmpfs", layer, "mode=0755")
        for name in ("upper", "work"):
            (layer / name).mkdir()
        self.mount("overlay", root, f"lowerdir=/,upperdir={layer}/upper,workdir={layer}/work")
        for path in ("/proc", "/dev", "/sys", *sorted({sys.prefix, sys.base_prefix, os.getcwd()})):
            inside = root / path.lstrip("/")
            inside.mkdir(parents=True, exist_ok=True)
            self.bind(Path(path), inside)
        (root / "usr/sbin/policy-rc.d").write_text(NO_SERVICES)
        (root / "usr/sbin/policy-rc.d").chmod(0o755)
        self.mount("tmpfs", root / "run", "mode=0755")
        os.chroot(root)
        os.chdir("/")


@pytest.mark.timeout(900)
@pytest.mark.skipif(not Path("/usr/bin/apt-get").exists(), reason="packages are installed for real on Debian only")
def test_a_machine_without_a_server_gets_one(tmp_path: Path) -> None:
    if os.geteuid() or "overlay" not in Path("/proc/filesystems").read_text():
        pytest.skip("a throw-away copy of this machine takes root and overlay file systems")
    run_inside(Copy(tmp_path), from_nothing)


async def from_nothing() -> None:
    remove = ["apt-get", "purge", "-y", "nfs-kernel-server", "nfs-common"]
    await command.run(remove, deadline=300, env={"DEBIAN_FRONTEND": "noninteractive"})
    assert (await read_machine()).missing == ("nfs-kernel-server", "nfs-common")
    plan = await plan_for(WantedExport(PATH, ["127.0.0.1"]))
    steps = tuple(step for step in plan.steps if step.kind != "services")
    assert [step.kind for step in steps] == ["packages", "directory", "exports"]
    await perform_all(InitPlan(PATH, steps))
    again = await plan_for(WantedExport(PATH, ["127.0.0.1"]))
    assert [step.kind for step in again.steps if step.kind != "services"] == []
    assert (await read_machine()).missing == ()
