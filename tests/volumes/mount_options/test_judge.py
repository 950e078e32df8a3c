"""Mount options: what no node can mount with is refused with what to write, and what works goes on working."""

from __future__ import annotations

import pytest

from berth.volumes.errors import Refused
from berth.volumes.mount_options.judge import judge_options, refuse_unmountable, risks_of
from berth.volumes.mount_options.option import OptionFault, version_of
from berth.volumes.mount_options.table import ALIASES, FOREIGN, GENERIC, TABLE, VENDORS, WHOLE


def faults(*options: str, server: str = "") -> dict[str, OptionFault]:
    return {fault.option: fault for fault in judge_options(options, server=server)}


@pytest.mark.parametrize(
    ("option", "instead"),
    [
        ("nfsver=4.1", "nfsvers=4.1"), ("nfsver=4", "nfsvers=4"), ("version=4.2", "nfsvers=4.2"),
        ("nfs4", "nfsvers=4.1"),
        ("nfsv3", "nfsvers=3"), ("vers=4.3", "nfsvers=4.1"), ("vers=3.0", "nfsvers=3"), ("vers=2", "nfsvers=4.1"),
        ("v2", "nfsvers=4.1"), ("nfsvers=5", "nfsvers=4.1"), ("NFSVERS=4.1", "nfsvers=4.1"),
        ("nfsvers:4.1", "nfsvers=4.1"),
        ("nfsvers 4.1", "nfsvers=4.1"), ('"nfsvers=4.1"', "nfsvers=4.1"), ("nfsvers＝4.1", "nfsvers=4.1"),
        (" nfsvers=4.1", "nfsvers=4.1"), ("nfsvers=4.1 ", "nfsvers=4.1"), ("Hard", "hard"), ("hrad", "hard"),
        ("hard=true", "hard"), ("nolocks", ""), ("timeout=600", "timeo=600"), ("time0=600", "timeo=600"),
        ("timeo=60s", "timeo=600"), ("timeo=10min", "timeo=6000"), ("timeo=0", "timeo=1"), ("retries=3", "retrans=3"),
        ("rszie=65536", "rsize=65536"), ("rsize=1M", "rsize=1048576"), ("wsize=64k", "wsize=65536"),
        ("nconnect=17", "nconnect=16"), ("nconnect=0", "nconnect=1"), ("nconect=4", "nconnect=4"),
        ("port=99999", "port=65535"), ("proto=TCP", "proto=tcp"), ("tcp6", "proto=tcp6"), ("udp", "proto=tcp"),
        ("proto=udp", "proto=tcp"), ("sec=krb", "sec=krb5"), ("lookupcache=negative", "lookupcache=positive"),
        ("minorversion=3", "minorversion=2"), ("noatime=1", "noatime"), ("dir_mode=0777", ""), ("mfsymlinks", ""),
        ("uid=1000", ""), ("username=x", ""), ("no_root_squash", ""), ("discard", ""), ("remount", ""), ("foo=bar", ""),
    ],
)  # fmt: skip
def test_what_no_node_can_mount_with_is_refused_with_what_to_write(option: str, instead: str) -> None:
    (fault,) = judge_options((option,))
    assert (fault.weight, fault.instead) == ("refused", instead)
    assert option in fault.said.en
    assert option in fault.said.zh
    if instead:
        assert instead in fault.said.en
        assert instead in fault.said.zh


@pytest.mark.parametrize(
    "options",
    [
        "hard,nfsvers=4.1", "vers=3,tcp", "nfsvers=4,minorversion=1", "v4.2", "noresvport", "noatime,nodiratime", "ro",
        "timeo=600,retrans=2", "rsize=1048576,wsize=1048576", "rsize=0x10000", "actimeo=0", "noac", "nocto", "fsc=one",
        "nconnect=16", "port=0", "sec=sys", "lookupcache=pos", "x-systemd.automount", "X-mount.mkdir",
        "proto=rdma,port=20049",
        "mountproto=tcp", "mounthost=10.0.0.1,mountport=20048", "context=system_u:object_r:nfs_t:s0", "sync", "dirsync",
        "",
        "hard,", ",hard", "nosuid,nodev,noexec", "relatime", "lazytime", "seclabel", "private", "nordirplus", "retry=2",
    ],
)  # fmt: skip
def test_what_works_is_not_spoken_of(options: str) -> None:
    assert judge_options((options,)) == ()


@pytest.mark.parametrize(
    ("options", "weight", "said"),
    [
        ("bg", "risky", "mount answers success with nothing mounted"),
        ("soft", "risky", "lose data"),
        ("softerr,timeo=600", "risky", "lose data"),
        ("nfsvers=3,nolock", "risky", "locks stay on one node"),
        ("nfsvers=4.1,nolock", "idle", "does nothing with NFSv4.1"),
        ("nfsvers=4.1,local_lock=all", "idle", "does nothing"),
        ("nfsvers=4.1,noacl", "idle", "does nothing"),
        ("vers=3,clientaddr=10.0.0.1", "idle", "does nothing with NFSv3"),
        ("hard,intr", "idle", "since Linux 2.6.25"),
        ("_netdev", "idle", "/etc/fstab"),
        ("retry=x", "idle", "minutes"),
        ("minorversion=1", "idle", "nfsvers=4.1"),
        ("user", "risky", "noexec"),
        ("timeo=14", "risky", "1.4 s"),
        ("timeo=60", "risky", "6 s"),
        ("timeo=60000", "risky", "10 minutes"),
        ("rsize=64", "risky", "4096"),
        ("rsize=4194304", "risky", "1 MiB"),
        ("sec=krb5p", "risky", "rpc.gssd"),
        ("sec=none", "risky", "nobody"),
        ("xprtsec=tls", "risky", "Linux 6.5"),
        ("rdirplus=force", "risky", "6.16"),
        ("vers=3,proto=udp", "risky", "Linux 5.6"),
        ("remoteports=10.0.0.1-10.0.0.4", "risky", "VAST"),
        ("foo=bar,sloppy", "risky", "foo=bar"),
        ("sloppy,timeo=60s", "risky", "timeo=600"),
        ("nfsvers=4.1,mountport=20048", "refused", "NFSv3 only"),
        ("nfsvers=4.2,mountproto=tcp", "refused", "NFSv3 only"),
        ("nfsvers=3,minorversion=1", "refused", "NFSv4 only"),
        ("nfsvers=4.1,migration", "refused", "NFSv4.0 only"),
        ("vers=3,nfsvers=4.1", "refused", "one version"),
        ("v3,v4", "refused", "one version"),
    ],
)
def test_what_is_told_of_others(options: str, weight: str, said: str) -> None:
    (fault,) = judge_options((options,))
    assert fault.weight == weight
    assert said in fault.said.en


def test_of_options_that_contradict_each_other_the_one_that_counts_is_named() -> None:
    """A kubelet sorts the entries of the list."""
    assert "`soft` counts" in faults("soft", "hard")["hard,soft"].said.en
    assert "`noac` counts" in faults("noac", "ac")["ac,noac"].said.en
    assert "`rsize=65536` counts" in faults("rsize=65536", "rsize=32768")["rsize=32768,rsize=65536"].said.en
    assert "`rw` counts" in faults("rw", "ro")["ro,rw"].said.en
    assert faults("tcp", "proto=tcp") == {}
    assert faults("hard", "hard") == {}


@pytest.mark.parametrize("server", ["fd00::5", "[fd00::5]"])
def test_a_transport_for_ipv4_finds_no_server_of_ipv6(server: str) -> None:
    for option in ("tcp", "proto=tcp"):
        fault = faults(option, server=server)[option]
        assert (fault.weight, fault.instead) == ("refused", "proto=tcp6")
    assert faults("proto=tcp6", server=server) == {}
    assert faults("proto=tcp6", server="10.0.0.5")["proto=tcp6"].instead == "proto=tcp"
    assert faults("proto=tcp6", server="nfs.example") == {}


def test_all_that_is_refused_is_told_at_once_in_both_languages() -> None:
    with pytest.raises(Refused) as refusal:
        refuse_unmountable(("nfsver=4.1", "dir_mode=0777", "mfsymlinks", "soft"))
    assert refusal.value.field == "mountOptions"
    for text in (refusal.value.text.en, refusal.value.text.zh):
        assert all(one in text for one in ("`nfsvers=4.1`", "`dir_mode=0777`", "`mfsymlinks`"))
    assert "很可能应为" in refusal.value.text.zh
    refuse_unmountable(("soft", "bg", "intr"))
    assert len(risks_of(("soft", "bg", "intr"))) == 2


def test_the_version_is_what_mount_makes_of_the_options() -> None:
    assert version_of(["hard,nfsvers=4.1"]) == "4.1"
    assert version_of(["v3"]) == "3"
    assert version_of(["mountproto=tcp"]) == "3"
    assert version_of(["hard"]) == ""


def test_no_name_stands_twice_in_the_table() -> None:
    known = set(TABLE) | set(GENERIC)
    assert len(known) == len(TABLE) + len(GENERIC)
    for others in (FOREIGN, VENDORS, ALIASES, WHOLE):
        assert not known & set(others)
    assert all(name in known for name in ALIASES.values())
