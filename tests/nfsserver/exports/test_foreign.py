"""Lines in other systems' languages, and what they are in Linux's: examples of their own manuals, and public files."""

from __future__ import annotations

import pytest

from berth.nfsserver.exports.foreign import ganesha_blocks, recognise
from berth.nfsserver.exports.parse import parse_exports

COMMON = "sync,no_subtree_check"
LINES = [
    pytest.param(
        "/tank/k8s -maproot=root -network 192.0.2.0 -mask 255.255.255.0",
        "bsd",
        f"/tank/k8s 192.0.2.0/24(rw,{COMMON},no_root_squash)",
        id="FreeBSD, a network and its mask",
    ),
    pytest.param(
        "/data -alldirs -maproot=0 -network=10.0.0.0/8",
        "bsd",
        f"/data 10.0.0.0/8(rw,{COMMON},no_root_squash)",
        id="CIDR",
    ),
    pytest.param("/u -ro -network 192.168.33", "bsd", f"/u 192.168.33.0/24(ro,{COMMON})", id="a network by its octets"),
    pytest.param(
        "/usr /usr/local -maproot=0:10 friends",
        "bsd",
        f"/usr friends(rw,{COMMON},no_root_squash)\n/usr/local friends(rw,{COMMON},no_root_squash)",
        id="two paths",
    ),
    pytest.param(
        "/Users/me/share -alldirs -mapall=501:20 -network 192.168.64.0 -mask 255.255.255.0",
        "bsd",
        f"/Users/me/share 192.168.64.0/24(rw,{COMMON},all_squash,anonuid=501,anongid=20)",
        id="macOS, all users are one",
    ),
    pytest.param("/a -mapall=nobody -quiet", "bsd", f"/a *(rw,{COMMON},all_squash)", id="everybody is nobody"),
    pytest.param(
        "/b -network 2001:db8:: -mask ffff:ffff:: -maproot=root",
        "bsd",
        f"/b 2001:db8::/32(rw,{COMMON},no_root_squash)",
        id="IPv6",
    ),
    pytest.param("/c -noresvport -maproot=root host1 host2", "bsd", None, id="NetBSD"),
    pytest.param("V4: /data -sec=sys", "bsd", "", id="FreeBSD's root of NFSv4"),
    pytest.param(
        "/export -rw=host1:host2,root=host1,anon=0",
        "sun",
        f"/export host1(rw,no_root_squash,{COMMON}) host2(rw,{COMMON},no_root_squash)",
        id="AIX, who may write",
    ),
    pytest.param("/home -access=a:b,root=a", "sun", f"/home a(rw,no_root_squash,{COMMON}) b(rw,{COMMON})", id="SunOS"),
    pytest.param(
        "/vol/vol1 -sec=sys:dh,rw,root=10.0.0.5",
        "sun",
        f"/vol/vol1 10.0.0.5(rw,no_root_squash,{COMMON},sec=sys) *(rw,{COMMON},sec=sys)",
        id="ONTAP, all may write",
    ),
    pytest.param("/export -rw=a,access=a:b", "sun", f"/export a(rw,{COMMON}) b(ro,{COMMON})", id="AIX, others read"),
    pytest.param("/export -rw=a,ro", "sun", f"/export a(rw,{COMMON}) *(ro,{COMMON})", id="all others read"),
    pytest.param("/Users/me -alldirs -mapall=$(id -u):$(id -g) localhost", "bsd", None, id="of a shell's script"),
    pytest.param("/cd -ro,access=a", "sun", f"/cd a(ro,{COMMON})", id="read-only for one"),
    pytest.param(
        'share -F nfs -o rw=@10.0.0.0/8,root=@10.0.0.5/32,sec=sys -d "home dirs" /export/home',
        "sun",
        f"/export/home 10.0.0.5/32(rw,no_root_squash,{COMMON},sec=sys) 10.0.0.0/8(rw,{COMMON},sec=sys)",
        id="Solaris, dfstab",
    ),
    pytest.param("/vol/vol1 -sec=sys,rw=10.0.0.0/8,root=10.0.0.5,nosuid", "sun", None, id="ONTAP 7"),
    pytest.param("nfs.example.com:/srv /mnt nfs defaults 0 0", "fstab", "", id="fstab"),
    pytest.param("/dev/sdb1 /srv/nfs ext4 defaults 0 2", "fstab", "", id="fstab, a disk"),
]


@pytest.mark.parametrize(("line", "system", "linux"), LINES)
def test_another_systems_line(line: str, system: str, linux: str | None) -> None:
    found = recognise(line.split())
    assert found is not None
    assert found.system == system
    if linux is not None:
        assert "\n".join(found.linux) == linux
    for each in found.linux:  # exportfs would take it
        file = parse_exports(each.encode())
        assert file.problems == ()
        assert file.exports


@pytest.mark.parametrize(
    "line",
    [
        "/srv 10.0.0.0/8(rw,sync)",
        "/srv -ro,sync,no_subtree_check 10.0.0.0/8 @group",
        "/srv -sec=krb5,rw,root_squash,anonuid=99 *",
        "/srv node1 nfs node2",
        "/srv",
        "/srv -nonsense host",
        "/share 10.0.0.0/8(rw)",
        "",
    ],
)
def test_linuxs_own_lines_are_no_others(line: str) -> None:
    assert recognise(line.split()) is None


def test_a_block_of_ganesha() -> None:
    text = """# from a guide
EXPORT {
    Export_Id = 77;
    Path = /srv/nfs;
    Pseudo = "/k8s";
    Access_Type = RW;
    Squash = No_Root_Squash;
    CLIENT { Clients = 10.0.0.0/8, 192.0.2.5; Access_Type = RW; }
    FSAL { Name = VFS; }
}
/srv/other *(ro)
"""
    (block,) = ganesha_blocks(text)
    assert block.lines == range(2, 11)
    assert block.linux == (f"/srv/nfs 10.0.0.0/8(rw,{COMMON},no_root_squash) 192.0.2.5(rw,{COMMON},no_root_squash)",)
    assert list(ganesha_blocks("EXPORT {")) != []
    assert list(ganesha_blocks("/EXPORT *(ro)")) == []
