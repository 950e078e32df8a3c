"""What test_on_a_real_kernel runs in the guest: a host with a kernel that serves NFS, and a client that mounts it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from asyncio import run as do
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from berth.doctor.share.target import parse_target
from berth.doctor.share.verify import verify
from berth.nfsserver.errors import NotApplied
from berth.nfsserver.exports.export_files import ExportFiles, read_varying
from berth.nfsserver.exports.exporting import add_export, list_exports, remove_export
from berth.nfsserver.exports.flags import Flag
from berth.nfsserver.exports.parse import parse_exports
from berth.nfsserver.exports.spelling import resolve, spell
from berth.nfsserver.exports.survey import look
from berth.nfsserver.exports.table import first_wins, show
from berth.nfsserver.exports.wanted import WantedExport
from berth.nfsserver.lint.run import lint_host
from berth.nfsserver.setup.machine import read_machine
from berth.nfsserver.setup.perform import perform_all, plan_for
from berth.nfsserver.setup.status import read_status
from tests.cli.command import PROGRAM
from tests.nfsserver.corpus import LINES
from tests.nfsserver.room import unaccounted

PATH = "/srv/xfs/k8s"
WANTED = WantedExport(PATH, ["127.0.0.1"])
NOBODY = ("--reuid=1000", "--regid=1000", "--clear-groups")
USER = (*NOBODY, "--")
READER = (*NOBODY, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--")
"""Can read the checkout wherever it is."""


def run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done.stdout


def berth(*arguments: str, code: int = 0, before: tuple[str, ...] = ()) -> str:
    """What `berth server …` prints when it ends with this code."""
    argv = (*before, str(PROGRAM), "server", *arguments)
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (code, ""), f"{argv}: {done.returncode} {done.stdout}{done.stderr}"
    return done.stdout


def told(share: str) -> tuple[str, dict[str, Any]]:
    """What verify blames, and its results by probe, as `-o json` has them."""
    return understood(do(verify(parse_target(share))).as_dict())


def understood(report: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return report["culprit"], {probe["id"]: probe for probe in report["probes"]}


@contextmanager
def mounted(path: str, version: str) -> Iterator[Path]:
    """The path as a node mounts it. Over v4 it has to be the tree's root: see no_way_down_for_nfsv4."""
    seen = path if version == "3" else "/"
    run("mount", "-t", "nfs", "-o", f"vers={version},hard,timeo=50", f"127.0.0.1:{seen}", "/mnt")
    try:
        yield Path("/mnt")
    finally:
        run("umount", "/mnt")


def codes() -> list[str]:
    """What lint finds on this host."""
    return [finding.id for finding in do(lint_host())]


def init(wanted: WantedExport) -> None:
    """Does all that the plan says."""
    do(perform_all(do(plan_for(wanted))))


def from_nothing_to_a_share() -> None:
    """init, as on any host: Debian's own init scripts start the real server."""
    status = do(read_status())
    assert (status.verdict, status.machine.missing) == ("not serving", ()), status.as_dict()
    assert "NFS server: not running" in berth("status", code=2)
    plan = do(plan_for(WANTED))
    assert [step.kind for step in plan.steps] == ["directory", "exports", "services"], plan
    # Nobody has locks to claim again: the shortest grace periods that there are.
    run("modprobe", "lockd")
    Path("/proc/sys/fs/nfs/nlm_timeout").write_text("3")
    Path("/proc/sys/fs/nfs/nlm_grace_period").write_text("3")
    said = berth("init", PATH, "--client", "127.0.0.1", "--yes", code=1)
    assert "done  start the NFS server, now and at every boot" in said, said
    assert "make, write, rename, read, remove: works as root, over NFSv3" in said, said
    assert f"127.0.0.1:{PATH} can be used, but: NFSv4 finds no {PATH}" in said, said
    Path("/proc/fs/nfsd/v4_end_grace").write_text("Y")
    again = do(plan_for(WANTED))
    assert again.is_empty, [step.as_dict() for step in again.steps]
    status = do(read_status())
    assert status.verdict == "serving", status.as_dict()
    assert status.is_good, status.as_dict()
    assert {"3", "4.2"} <= set(status.machine.kernel.versions), status.as_dict()


def no_way_down_for_nfsv4() -> None:
    """The guest's root is an overlay, as a container's: lint knows what that means for NFSv4, and what helps."""
    assert codes() == ["no-nfsv4-tree"]
    with pytest.raises(AssertionError, match="No such file or directory"):
        run("mount", "-t", "nfs", "-o", "vers=4.2", f"127.0.0.1:{PATH}", "/mnt")
    init(WantedExport(PATH, ["127.0.0.1"], options=["fsid=0"]))
    assert codes() == ["fsid-zero"]


def verify_tells_what_clients_meet() -> None:
    """Over both versions, from any port, from a client that is on no list, of a read-only export."""
    end = time.monotonic() + 20
    while told("127.0.0.1:/")[1]["lock"]["outcome"] == "skipped":
        assert time.monotonic() < end, "the grace period does not end"
    blamed, found = understood(json.loads(berth("verify", "127.0.0.1:/", "--from-node", "-o", "json")))
    assert blamed is None
    assert found["lock"]["seen"]["en"] == "kept, over NFSv4.0", found["lock"]
    assert found["source-port"]["seen"]["en"].startswith("below 1024 only")
    assert found["node-mount"]["facts"]["version"] == "4.2"
    blamed, found = told(f"127.0.0.1:{PATH}")
    assert blamed == "mount-4.0"
    assert found["lock"]["seen"]["en"] == "kept, over NFSv3", found["lock"]
    assert found["squash"]["facts"]["uid"] == 65534
    said = berth("verify", "127.0.0.1:/", "-o", "json", code=2, before=("setpriv", *READER))
    _, found = understood(json.loads(said))
    assert "`insecure`" in found["mount-4.0"]["do"]["en"]
    other = "/srv/ext4/other"
    Path(other).mkdir()
    do(add_export(WantedExport(other, ["10.0.0.0/8"])))
    blamed, found = told(f"127.0.0.1:{other}")
    assert blamed == "mount-3"
    assert found["exports"]["outcome"] == "passed"
    assert found["mount-3"]["why"]["en"] == "This host is not among the clients of the export: 10.0.0.0/8."
    do(add_export(WantedExport(other, ["127.0.0.1"], options=["ro"])))
    blamed, found = told(f"127.0.0.1:{other}")
    assert (blamed, found["write"]["facts"]["status"]) == ("write", "NFS3ERR_ROFS")
    do(remove_export(other))
    blamed, found = told(f"127.0.0.1:{PATH}s")
    assert (blamed, found["exports"]["facts"]["nearest"]["en"]) == ("exports", PATH)
    assert not [name for name in os.listdir(PATH) if name.startswith(".berth-verify")]
    assert "127.0.0.1" not in run("showmount", "--no-headers", "-a", "127.0.0.1")


def a_server_that_was_stopped_is_blamed() -> None:
    """Nothing listens any more, and status and verify say so."""
    run("rpc.nfsd", "0")
    assert told("127.0.0.1:/")[0] == "nfs-port"
    assert "NFS server: not running" in berth("status", code=2)


def a_client_sees_what_was_planned() -> None:
    """Root is nobody and may make directories; anybody may use his own; nobody else may write in the root."""
    for version in ("3", "4.2"):
        with mounted(PATH, version) as share:
            volume = share / f"volume-{version}"
            volume.mkdir()
            volume.chmod(0o777)
            assert volume.stat().st_uid == 65534
            (volume / "file").write_text("written by root")
            written = f"echo by a pod > {volume}/mine && cat {volume}/mine"
            assert run("setpriv", *USER, "sh", "-c", written) == "by a pod\n"
            with pytest.raises(AssertionError, match="Permission denied"):
                run("setpriv", *USER, "mkdir", str(share / "not-mine"))


def the_provisioner_may_be_root() -> None:
    """no_root_squash for its addresses: it gives directories to any owner."""
    path = "/srv/ext4/k8s"
    init(WantedExport(path, ["10.0.0.0/8"], ["127.0.0.1"]))
    with mounted(path, "3") as share:
        (share / "volume").mkdir()
        os.chown(share / "volume", 1000, 1000)
        assert (share / "volume").stat().st_uid == 1000


def a_file_system_without_identity() -> None:
    """tmpfs, with the fsid that init derives."""
    Path("/srv/memory").mkdir()
    run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/srv/memory")
    init(WantedExport("/srv/memory/k8s", ["127.0.0.1"]))
    with mounted("/srv/memory/k8s", "3") as share:
        (share / "file").write_text("here")
    assert codes() == ["fsid-zero"]


def an_overlay_is_refused_and_nothing_is_lost() -> None:
    """The guest's own root is one: what the kernel can't export is found before anything is touched."""
    path = "/srv/overlay"
    Path(path).mkdir()
    assert do(look([path]))[path].mount.kind == "overlay"
    before = ExportFiles().own.read_bytes(), do(list_exports())
    with pytest.raises(NotApplied, match="does not support NFS export") as caught:
        do(add_export(WantedExport(path, ["127.0.0.1"])))
    assert caught.value.restored
    assert (ExportFiles().own.read_bytes(), do(list_exports())) == before


def exportfs_agrees_while_the_server_runs() -> None:
    """With nfsd running, more options may differ per flavour; Berth understands them as exportfs does."""
    varying = read_varying()
    assert varying & Flag.INSECURE, varying
    for name in ("flavours", "flavours that differ", "flavours in defaults", "flavours, later switches", "plain"):
        Path("/etc/exports").write_bytes(LINES[name])
        subprocess.run(["exportfs", "-ra"], capture_output=True, check=False)
        own = ExportFiles().own.read_bytes()
        exports = [e for text in (LINES[name], own) for e in parse_exports(text, varying=varying).exports]
        spelled = first_wins(spell(exports, do(resolve(export.client for export in exports))))
        left = unaccounted(run("exportfs", "-v"), [show(export, varying) for export in spelled])
        assert left == "", f"{name}: {left}"


def main() -> None:
    assert do(read_machine()).init == "sysv"
    for scene in (
        from_nothing_to_a_share,
        no_way_down_for_nfsv4,
        verify_tells_what_clients_meet,
        a_client_sees_what_was_planned,
        the_provisioner_may_be_root,
        a_file_system_without_identity,
        an_overlay_is_refused_and_nothing_is_lost,
        exportfs_agrees_while_the_server_runs,
        a_server_that_was_stopped_is_blamed,
    ):
        print(f"- {scene.__doc__}", flush=True)
        scene()
    print("all scenes done")


if __name__ == "__main__":
    main()
