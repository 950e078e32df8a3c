"""What the host is asked for: real directories, real mounts, the real table."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from berth.nfsserver.exports.export_files import files_in, find_export_files, ignored_in, read_files
from berth.nfsserver.exports.survey import facts_of_path, look, read_mounts
from berth.nfsserver.lint.lint_context import Need
from berth.nfsserver.lint.run import lint_file, lint_host
from tests.nfsserver.room import Room

pytestmark = pytest.mark.slow

FINE = "(rw,sync,no_subtree_check)"


def test_a_directory_and_what_bars_the_way_to_it(tmp_path: Path) -> None:
    inner = tmp_path / "closed" / "open" / "inner"
    inner.mkdir(parents=True)
    inner.chmod(0o2770)
    (tmp_path / "closed" / "open").chmod(0o755)
    (tmp_path / "closed").chmod(0o750)
    place = facts_of_path(str(inner), read_mounts())
    assert (place.kind, place.mode_text, place.is_empty) == ("directory", "2770", True)
    assert (place.parent, place.parent_mode) == (str(tmp_path / "closed"), 0o750)
    (inner / "file").touch()
    assert not facts_of_path(str(inner), read_mounts()).is_empty
    assert facts_of_path(str(inner / "file"), read_mounts()).kind == "other"


def test_links_are_seen_through(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert facts_of_path(str(tmp_path / "link"), ()).real == str(tmp_path / "real")
    (tmp_path / "dangling").symlink_to("nowhere")
    assert facts_of_path(str(tmp_path / "dangling"), ()).kind == "missing"


def test_a_missing_directory_has_lookalikes(tmp_path: Path) -> None:
    (tmp_path / "ksha3.2").mkdir()
    place = facts_of_path(str(tmp_path / "ksha32"), read_mounts())
    assert (place.kind, place.lookalikes) == ("missing", (str(tmp_path / "ksha3.2"),))
    assert facts_of_path("/no/such/place", ()).lookalikes == ()


def test_odd_paths_are_missing() -> None:
    for path in ("relative", "", "/a\0b", "/" + "a" * 5000):
        assert facts_of_path(path, ()).kind == "missing"


async def test_mounts_are_seen(room: Room) -> None:
    outer = room.srv / "outer with blank"
    room.mount("tmpfs", outer)
    room.mount("tmpfs", outer / "inner")
    (outer / "proc").mkdir()
    room.mount("proc", outer / "proc")
    places = await look([str(outer), str(outer / "inner"), str(room.srv)])
    assert places[str(outer)].mount.kind == "tmpfs"
    assert places[str(outer)].mount.needs_fsid
    assert [mount.point for mount in places[str(outer)].below] == [str(outer / "inner")]
    assert [mount.point for mount in places[str(room.srv)].below] == [str(outer), str(outer / "inner")]


async def test_the_guide_on_a_real_host(room: Room) -> None:
    """The directories that the guide makes, and the exports that it writes, which are others."""
    home = room.srv / "home" / "ubuntu"
    (home / "nfs" / "ks3.1").mkdir(parents=True)
    (home / "nfs" / "ks3.1").chmod(0o777)
    home.chmod(0o750)
    made = room.directory("ksha3.2", 0o777)
    options = "*(rw,sync,no_subtree_check)"
    room.write(f"{home}/nfs/ks3.1 {options}\n{made}x {options}\n#/mnt/demo 139.198.167.103(rw,sync)\n".encode())
    await room.exportfs("-ra")
    findings = await lint_host([Need(str(made))])
    assert [(finding.where.line, finding.id) for finding in findings if finding.where] == [
        (1, "everybody-writes"),
        (1, "parent-not-searchable"),
        (1, "world-writable"),
        (2, "missing-directory"),
        (2, "everybody-writes"),
        (0, "not-exported"),
    ]
    assert str(made) in findings[3].do.en


async def test_what_exportfs_accepts_and_what_is_live_agree_with_lint(room: Room) -> None:
    path = room.directory("a")
    room.write(f"{path} node1{FINE} nosuch{FINE} 10.0.0.0/8{FINE}\n".encode())
    await room.exportfs("-ra")
    assert [finding.id for finding in await lint_host()] == ["unknown-host"]
    await room.exportfs("-o", "rw", "192.0.2.9:/srv")
    room.write(f"{path} node1(ro,no_subtree_check) 10.0.0.0/8{FINE} @g{FINE}\n".encode())
    assert [finding.id for finding in await lint_host()] == ["live-differs", "not-live", "only-live"]


async def test_one_file_is_linted_by_itself(room: Room) -> None:
    path = room.directory("a")
    room.write(f"{path} @g{FINE}\n".encode())
    file = room.below / "candidate"
    file.write_text(f"{path} 192.168.1.*{FINE}\n")
    (finding,) = await lint_file(file)
    assert (str(finding.where), finding.id) == (f"{file}:1", "wildcard-on-address")


async def test_files_are_read_in_the_order_of_exportfs(room: Room) -> None:
    for name in ("10.exports", "9.exports", "b.exports", "a.conf", ".hidden.exports", ".exports"):
        room.write(b"/srv *(ro)\n", name)
    assert [path.name for path in files_in(room.files.directory)] == ["9.exports", "10.exports", "b.exports"]
    assert [path.name for path in ignored_in(room.files.directory)] == ["a.conf"]
    assert [Path(file.source).name for file in read_files(room.files)][:2] == ["exports", "9.exports"]
    # Of equal exports the first one counts: so it is told in which order exportfs reads.
    for name, options in (("9.exports", "rw"), ("10.exports", "ro"), ("b.exports", "async")):
        room.write(f"/srv *({options})\n".encode(), name)
    room.write(b"")
    await room.exportfs("-ra")
    assert "rw,root_squash" in await room.shown()


async def test_the_table_may_be_elsewhere(room: Room) -> None:
    elsewhere = room.below / "elsewhere"
    elsewhere.mkdir()
    (room.etc / "nfs.conf").write_text(
        f"[nfsd]\nstate-directory-path=/x\n[mountd]\n state-directory-path = {elsewhere}\n"
    )
    path = room.directory("a")
    room.write(f"{path} @g{FINE}\n".encode())
    await room.exportfs("-ra")
    assert find_export_files().state == elsewhere
    assert await lint_host() == ()


@pytest.mark.parametrize(
    ("above", "owner", "mode", "inner_owner", "is_changeable"),
    [
        (0, 0, 0o755, 65534, False),
        (1000, 0, 0o755, 0, True),
        (0, 0, 0o777, 0, True),
        (0, 0, 0o1777, 0, False),
        (0, 0, 0o1777, 1000, True),
        (0, 50, 0o775, 0, True),
        (0, 0, 0o775, 0, False),
    ],
)
async def test_who_else_can_put_something_in_the_place_of_an_export(
    room: Room, above: int, owner: int, mode: int, inner_owner: int, is_changeable: bool
) -> None:
    path = room.directory("above/inner/export")
    os.chown("/srv/above", above, owner)
    os.chmod("/srv/above", mode)
    os.chown("/srv/above/inner", inner_owner, 0)
    places = await look([path, "/srv/above/missing/export"])
    by_inner = "/srv/above/inner" if inner_owner else ""
    assert places[path].changeable == (by_inner or ("/srv/above" if is_changeable else ""))
    # What is not there yet will be root's: in a sticky directory it is his alone.
    is_safe = mode & 0o1000 or not is_changeable
    assert places["/srv/above/missing/export"].changeable == ("" if is_safe else "/srv/above")
