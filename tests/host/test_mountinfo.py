"""The table of mounts, read as the kernel writes it."""

from __future__ import annotations

import os

import pytest

from berth.host.mountinfo import Mount, is_mount_point, parse_mountinfo, read_mountinfo

TABLE = rb"""22 27 0:21 / /proc rw,nosuid - proc proc rw
35 22 0:30 / /var/my\040data rw,relatime shared:5 - nfs [fd00::1]:/ex\134port rw,vers=3,hard
broken line
40 23 0:31 /sub /mnt/\344\270\255 ro,relatime - nfs4 nas:/ ro,vers=4.1,soft"""


def test_an_nfs_mount_says_what_it_is() -> None:
    proc, first, second = parse_mountinfo(TABLE)
    assert not proc.is_nfs
    told = (first.point, first.source, first.server, first.version)
    assert told == ("/var/my data", "[fd00::1]:/ex\\port", "fd00::1", "3")
    assert (second.point, second.root, second.device, second.is_writable) == ("/mnt/中", "/sub", "0:31", False)
    assert second.first_of("softerr", "soft") == "soft"


@pytest.mark.parametrize(
    ("written", "point"),
    [
        ("/data/数据".encode(), "/data/数据"),  # the kernel escapes no more than blanks, backslashes and #
        (rb"/a\040b\011c\012d\134e\043f", "/a b\tc\nd\\e#f"),
        (rb"/\134040", r"/\040"),
        (b"/latin-\xe9", os.fsdecode(b"/latin-\xe9")),
    ],
)
def test_a_mount_point_is_spelled_as_everywhere_in_python(written: bytes, point: str) -> None:
    (mount,) = parse_mountinfo(b"22 27 0:21 / " + written + b" rw - ext4 /dev/sda1 rw\n")
    assert mount == Mount("0:21", "/", point, ("rw",), "ext4", "/dev/sda1", ("rw",))


def test_this_machines_own_table() -> None:
    assert any(mount.point == "/proc" and mount.kind == "proc" for mount in read_mountinfo())
    assert is_mount_point("/proc/")
    assert not is_mount_point("/proc/self")
