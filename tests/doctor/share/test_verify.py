"""verify against a real server: what is well, and for each fault the right culprit."""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import Any

import pytest

from berth.doctor.share.probed import Probed, ShareReport
from berth.doctor.share.scratch import PREFIX
from berth.doctor.share.verify import ORDER, verify
from berth.volumes.share import ShareAddress
from devcluster.ganesha import GaneshaServer
from tests.conformance.places import address

pytestmark = pytest.mark.slow

Found = dict[str, Probed]


async def look(server: GaneshaServer, export: str, version: str = "", **options: Any) -> tuple[ShareReport, Found]:
    """The report, and its results by probe."""
    target = address(server, export, version)
    report = await verify(ShareAddress(target.server, export, port=target.port, mountport=target.mountport), **options)
    return report, {probe.id: probe for probe in report.probes}


def left_over(server: GaneshaServer, export: str) -> list[str]:
    """What of ours is still on the share."""
    return [name for name in os.listdir(server.directory_of(export)) if name.startswith(PREFIX)]


async def test_a_good_share(server: GaneshaServer) -> None:
    report, found = await look(server, "/free")
    assert (report.outcome, report.culprit) == ("passed", None), report
    assert found["answers"].facts["versions"] == "3, 4"
    assert "mountd" in found["programs"].seen.en
    assert found["exports"].seen.en == "/free is exported to *"
    for probe in ("mount-3", "mount-4.0", "mount-4.1", "mount-4.2", "write"):
        assert found[probe].outcome == "passed", found[probe]
    assert found["squash"].seen.en == "root is root (no_root_squash)"
    assert found["lock"].seen.en == "kept, over NFSv4.0"
    room = os.statvfs(server.directory_of("/free"))
    assert found["space"].facts["total_bytes"] == room.f_blocks * room.f_frsize
    assert 0 < float(str(found["round-trip"].facts["median_ms"])) <= float(str(found["round-trip"].facts["p99_ms"]))
    assert left_over(server, "/free") == []


async def test_results_come_in_order_and_once(server: GaneshaServer) -> None:
    report, _ = await look(server, "/free")
    ids = [probe.id for probe in report.probes]
    assert ids == [probe for probe in ORDER if probe in ids]
    assert len(set(ids)) == len(ids)


async def test_root_squashed(server: GaneshaServer) -> None:
    report, found = await look(server, "/squashed")
    assert report.outcome == "passed"
    assert found["squash"].facts["uid"] == 65534
    assert found["squash"].seen.en == "root becomes uid 65534 (root_squash)"


async def test_root_squashed_where_a_user_owns_the_directory(server: GaneshaServer) -> None:
    directory = server.directory_of("/owned")
    directory.chmod(0o755)
    os.chown(directory, 1234, 1234)
    report, found = await look(server, "/owned")
    assert report.outcome == "passed"
    assert "uid 1234" in found["write"].seen.en
    assert "Berth works as uid 1234" in found["squash"].seen.en
    assert left_over(server, "/owned") == []


async def test_root_squashed_where_nobody_may_write(server: GaneshaServer) -> None:
    server.directory_of("/closed").chmod(0o755)
    report, found = await look(server, "/closed")
    assert report.culprit == found["write"]
    assert "it belongs to 0:0, mode 0755" in found["write"].seen.en
    assert found["write"].finding is not None
    assert "squashed" in found["write"].finding.why.en


async def test_everybody_squashed(server: GaneshaServer) -> None:
    report, found = await look(server, "/all-squashed")
    assert (report.outcome, report.culprit) == ("warning", found["squash"])
    assert "all_squash" in found["squash"].seen.en


@pytest.mark.parametrize("export", ["/fixed"])
async def test_a_read_only_export(server: GaneshaServer, export: str) -> None:
    report, found = await look(server, export)
    assert report.culprit == found["write"]
    assert found["write"].facts["status"] == "NFS4ERR_ROFS"
    assert found["lock"].outcome == "skipped"
    assert found["space"].outcome == "passed"


async def test_a_full_disk(server: GaneshaServer) -> None:
    report, found = await look(server, "/full")
    assert report.culprit == found["write"]
    assert found["write"].facts["status"] == "NFS4ERR_NOSPC"
    assert "no room is left" in found["write"].seen.en
    assert found["space"].outcome == "failed"
    assert left_over(server, "/full") == []


async def test_reserved_ports(server: GaneshaServer) -> None:
    _, found = await look(server, "/reserved")
    assert found["source-port"].seen.en.startswith("below 1024 only")
    _, found = await look(server, "/free")
    assert found["source-port"].seen.en == "clients may come from any port"


@pytest.mark.parametrize(("wrong", "meant"), [("/fre", "/free"), ("/mnt/free", "/free"), ("/nothing-like-it", "")])
async def test_a_wrong_path(server: GaneshaServer, wrong: str, meant: str) -> None:
    report, found = await look(server, wrong)
    assert report.culprit == found["exports"]
    assert "/free, /squashed" in found["exports"].seen.en
    assert found["exports"].finding is not None
    cause, cure = found["exports"].finding.why, found["exports"].finding.do
    assert cause.en == f"Probably {meant} is meant." if meant else "The path is wrong" in cause.en
    assert f"berth server init {wrong} --client 127." in cure.en
    assert {found["mount-3"].outcome, found["mount-4.0"].outcome} == {"failed"}


async def test_a_client_on_no_list(server: GaneshaServer) -> None:
    report, found = await look(server, "/theirs")
    assert report.culprit == found["exports"]
    assert report.culprit.finding is not None
    assert "exported to others only" in report.culprit.finding.why.en


async def test_an_export_of_one_version_only(server: GaneshaServer) -> None:
    report, found = await look(server, "/only3")
    assert report.culprit == found["mount-4.0"]
    assert report.outcome == "warning"
    assert "works as root, over NFSv3" in found["write"].seen.en
    assert found["lock"].seen.en == "no lock manager (nlockmgr) is registered for NFSv3"
    report, found = await look(server, "/only4")
    assert (report.outcome, found["mount-3"].outcome) == ("passed", "skipped")
    assert "NFSv4's tree has it" in found["exports"].seen.en


async def test_a_directory_that_was_replaced(server: GaneshaServer) -> None:
    directory = server.directory_of("/removed")
    shutil.rmtree(directory)
    directory.mkdir()
    report, found = await look(server, "/removed")
    assert report.culprit == found["mount-3"]
    assert [found[probe].facts["status"] for probe in ("mount-3", "mount-4.0")] == ["NFS3ERR_STALE", "NFS4ERR_STALE"]


async def test_a_server_that_accepts_and_never_answers(server: GaneshaServer) -> None:
    server.pause()
    try:
        report, found = await look(server, "/free", deadline=0.4)
    finally:
        server.resume()
    assert report.culprit == found["answers"]
    assert "takes connections and answers nothing within 0.4 s" in found["answers"].seen.en
    assert found["nfs-port"].outcome == "passed"
    assert found["write"].seen.en == "not tried: see “NFS versions”"


async def test_a_server_that_falls_silent_meanwhile(server: GaneshaServer) -> None:
    looking = asyncio.create_task(look(server, "/free", deadline=1.5))
    while not left_over(server, "/free"):
        assert not looking.done()
        await asyncio.sleep(0)
    server.pause()
    try:
        report, found = await looking
    finally:
        server.resume()
        for name in left_over(server, "/free"):
            shutil.rmtree(server.directory_of("/free") / name, ignore_errors=True)
    assert report.culprit == found["write"]
    assert "no answer within 1.5 s" in found["write"].seen.en
    assert found["space"].outcome == found["round-trip"].outcome == "skipped"


async def test_cancelled_it_leaves_nothing_behind(server: GaneshaServer) -> None:
    looking = asyncio.create_task(look(server, "/free"))
    while not left_over(server, "/free"):
        assert not looking.done()
        await asyncio.sleep(0)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    assert left_over(server, "/free") == []


async def test_a_server_that_was_stopped(server: GaneshaServer) -> None:
    server.stop()
    try:
        report, found = await look(server, "/free")
    finally:
        server.start()
    assert report.culprit == found["nfs-port"]
    assert "connection refused" in found["nfs-port"].seen.en


async def test_a_name_that_nobody_knows() -> None:
    report = await verify(ShareAddress("no-such-host.invalid", "/srv"))
    assert report.culprit is not None
    assert report.culprit.id == "dns"
    assert "no-such-host.invalid can't be resolved" in report.culprit.seen.en


async def test_a_name_of_the_clusters_own_dns() -> None:
    report = await verify(ShareAddress("nfs.berth-system.svc.cluster.local", "/srv"))
    assert report.culprit is not None
    assert report.culprit.finding is not None
    assert "nodes, where kubelet mounts, don't ask the cluster's DNS" in report.culprit.finding.why.en
