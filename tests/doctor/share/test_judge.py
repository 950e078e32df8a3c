"""What the answers of several versions mean together, for faults that the server here can't have: a table of them."""

from __future__ import annotations

import pytest

from berth.doctor.share.judge import Handed, judge_answers, judge_exports, judge_mounts, judge_source_port
from berth.doctor.share.mounts import Mounted, MountEnding, VersionAnswer, above, meant_paths
from berth.doctor.share.reach import Door, Reached, judge_nfs_port, judge_portmapper
from berth.nfs import Offered
from berth.volumes.share import ShareAddress

TARGET = ShareAddress("nfs", "/srv/nfs")
US = ("10.0.0.9", 800)
FROM_HIGH_PORT = ("10.0.0.9", 40000)
NODES = Offered("/srv/nfs", ("10.1.0.0/16",))


def handed(
    ending_3: MountEnding | None,
    ending_4: MountEnding | None,
    *,
    offered: tuple[Offered, ...] | str | None = (NODES,),
    minors: tuple[int, ...] | None = (0, 1, 2),
    source: tuple[str, int] = US,
) -> Handed:
    over_3, over_4 = (Mounted(ending, "STATUS", source) if ending else None for ending in (ending_3, ending_4))
    return Handed(offered, minors, over_3, over_4)


@pytest.mark.parametrize(
    ("situation", "probe", "outcome", "words"),
    [
        pytest.param(handed("denied", "missing"), "mount-4.0", "failed", "not among the clients", id="hidden by v4"),
        pytest.param(handed("denied", "denied"), "mount-3", "failed", "10.1.0.0/16", id="not allowed"),
        pytest.param(
            handed("denied", "denied", source=FROM_HIGH_PORT), "mount-4.0", "failed", "`insecure`", id="secure export"
        ),
        pytest.param(handed("mounted", "missing"), "mount-4.0", "warning", "fsid=0", id="no way down for v4"),
        pytest.param(handed("mountd shut", "mounted"), "mount-3", "skipped", "", id="firewall that only knows v4"),
        pytest.param(handed("mountd shut", None), "mount-3", "failed", "mountd not", id="mountd behind a firewall"),
        pytest.param(handed("no mountd", None), "mount-3", "failed", "rpc.mountd", id="no mountd"),
        pytest.param(handed("stale", "stale"), "mount-4.0", "failed", "removed, made anew", id="stale"),
        pytest.param(handed("kerberos", "kerberos"), "mount-4.0", "failed", "sec=krb5", id="kerberos"),
        pytest.param(handed("silent", "silent"), "mount-4.0", "failed", "hangs", id="silent"),
        pytest.param(
            handed(None, "not offered", minors=(1, 2)), "mount-4.0", "warning", "speaks 4.0 and 3 only", id="4.1 only"
        ),
        pytest.param(handed("mounted", None), "mount-4.1", "skipped", "", id="v3 only"),
        pytest.param(handed(None, "missing", offered=None), "mount-4.0", "failed", "hides", id="v4 only, wrong path"),
    ],
)
def test_a_mount(situation: Handed, probe: str, outcome: str, words: str) -> None:
    found = {each.id: each for each in judge_mounts(TARGET, situation)}
    assert list(found) == ["mount-3", "mount-4.0", "mount-4.1", "mount-4.2"]
    assert found[probe].outcome == outcome
    finding = found[probe].finding
    assert words in (finding.why.en if finding else "")
    assert bool(finding) == bool(words)


def test_the_cure_for_a_client_on_no_list_names_it() -> None:
    found = {each.id: each for each in judge_mounts(TARGET, handed("denied", "missing"))}
    finding = found["mount-3"].finding
    assert finding is not None
    assert "berth server export add /srv/nfs --client 10.0.0.9" in finding.do.en


@pytest.mark.parametrize(
    ("situation", "outcome", "seen"),
    [
        pytest.param(handed("mounted", None), "passed", "/srv/nfs is exported to 10.1.0.0/16", id="there"),
        pytest.param(
            handed("mounted", None, offered=(Offered("/srv", ()),)), "passed", "lies below the export /srv", id="below"
        ),
        pytest.param(handed("denied", None, offered=()), "failed", "the server exports nothing", id="nothing"),
        pytest.param(handed("denied", None, offered="broken"), "skipped", "mountd does not tell: broken", id="untold"),
        pytest.param(handed(None, "mounted", offered=None), "skipped", "no list of exports", id="v4 only"),
        pytest.param(
            handed("denied", "denied", offered=(Offered("/x", ()),)), "skipped", "not in the list: /x", id="fsid=0"
        ),
        pytest.param(
            handed("denied", "missing", offered=tuple(Offered(f"/e{at}", ()) for at in range(30))),
            "failed",
            "/e7, …",
            id="too many to list",
        ),
    ],
)
def test_the_list_of_exports(situation: Handed, outcome: str, seen: str) -> None:
    found = judge_exports(TARGET, situation)
    assert found.outcome == outcome
    assert seen in found.seen.en


@pytest.mark.parametrize(
    ("over_3", "over_4", "outcome", "seen"),
    [
        ("spoken", "not spoken", "warning", "speaks NFSv3 only"),
        ("not spoken", "spoken", "passed", "speaks NFSv4 only"),
        ("silent", "silent", "failed", "answers nothing"),
        ("silent", "spoken", "passed", "speaks NFSv4 only"),
        ("no NFS", "no NFS", "failed", "does not speak NFS"),
    ],
)
def test_versions(over_3: VersionAnswer, over_4: VersionAnswer, outcome: str, seen: str) -> None:
    found = judge_answers(Door("10.0.0.5", 2049, "open"), over_3, over_4, deadline=5)
    assert found.outcome == outcome
    assert seen in found.seen.en


def test_one_of_several_addresses_is_dead() -> None:
    ground = Reached((Door("10.0.0.5", 2049, "silent"), Door("10.0.0.6", 2049, "open")), None)
    found = judge_nfs_port(ground, 5)
    assert (found.outcome, ground.best.address) == ("warning", "10.0.0.6")
    assert "10.0.0.5 does not" in found.seen.en


def test_a_server_on_another_port() -> None:
    ground = Reached((Door("10.0.0.5", 2049, "refused"),), Door("10.0.0.5", 111, "open"), (), "", 12049)
    finding = judge_nfs_port(ground, 5).finding
    assert finding is not None
    assert "port=12049" in finding.do.en


@pytest.mark.parametrize(
    ("speaks_3", "speaks_4", "outcome"), [(True, True, "skipped"), (True, False, "failed"), (False, False, "skipped")]
)
def test_the_portmapper_matters_to_nfsv3_only(speaks_3: bool, speaks_4: bool, outcome: str) -> None:
    ground = Reached((Door("10.0.0.5", 2049, "open"),), Door("10.0.0.5", 111, "refused"))
    found = judge_portmapper(ground, speaks_3=speaks_3, speaks_4=speaks_4, deadline=5)
    assert (found.outcome, bool(found.finding)) == (outcome, outcome == "failed")


def test_a_second_mount_without_an_answer_says_nothing_about_ports() -> None:
    found = judge_source_port(Mounted("mounted", "", US), Mounted("silent", "ETIMEDOUT"))
    assert found.outcome == "skipped"


@pytest.mark.parametrize(
    ("path", "known", "meant"),
    [
        ("/mnt/ksha3.2", ["/mount/demo", "/mount/ksha3.2", "/home/ubuntu/nfs/ks3.1"], "/mount/ksha3.2"),
        ("/srv/nfs/k8", ["/srv/nfs/k8s"], "/srv/nfs/k8s"),
        ("/x", ["/srv/nfs/k8s"], ""),
        ("/", ["/srv"], ""),
        ("/data/k8s", ["/srv/k8s", "/mnt/k8s", "/srv/other"], "/srv/k8s /mnt/k8s"),
        ("/srv/nfs/k8", ["/srv/nfs/k8s", "/srv/nfs/k9", "/srv/elsewhere"], "/srv/nfs/k8s /srv/nfs/k9"),
    ],
)
def test_the_nearest_path(path: str, known: list[str], meant: str) -> None:
    assert meant_paths(path, known) == meant.split()


def test_the_export_above() -> None:
    assert above("/srv/nfs/k8s/a", ["/srv", "/srv/nfs", "/srv/nfs/k8s2", "/"]) == "/srv/nfs"
    assert above("/srv", ["/srv"]) == ""
