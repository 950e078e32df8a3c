"""`berth server export` and `lint`: what people see, exit codes, both languages, JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.server.conftest import Berth
from tests.nfsserver.room import Room

ARTICLE = {
    "the example of /etc/exports": (
        """\
# /etc/exports: the access control list for filesystems which may be exported
#		to NFS clients.  See exports(5).
#
# Example for NFSv2 and NFSv3:
# /srv/homes       hostname1(rw,sync,no_subtree_check) hostname2(ro,sync,no_subtree_check)
#
# Example for NFSv4:
# /srv/nfs4        gss/krb5i(rw,sync,fsid=0,crossmnt,no_subtree_check)
# /srv/nfs4/homes  gss/krb5i(rw,sync,no_subtree_check)
""",
        0,
    ),
    "what it adds": (
        """\
....
/home/ubuntu/nfs/ks3.1 *(rw,sync,no_subtree_check)
/mount/ksha3.2 *(rw,sync,no_subtree_check)
/mount/demo *(rw,sync,no_subtree_check)
#/mnt/ks3.2 139.198.186.39(insecure,rw,sync,anonuid=500,anongid=500)
#/mnt/demo 139.198.167.103(rw,sync,no_subtree_check)
#此文件的配置格式为：<输出目录> [客户端1 选项（访问权限,用户映射,其他）] [客户端2 选项（访问权限,用户映射,其他）]
""",
        2,
    ),
    "the commented lines, used": (
        """\
/mnt/ks3.2 139.198.186.39(insecure,rw,sync,anonuid=500,anongid=500)
/mnt/demo 139.198.167.103(rw,sync,no_subtree_check)
""",
        2,
    ),
}
"""The guide's blocks of an exports file, and the exit code."""


def test_add_list_remove(room: Room, berth: Berth) -> None:
    path = room.directory("nfs")
    added = berth("export", "add", path, "--client", "10.0.0.0/8", "--provisioner", "10.1.0.5", "--option", "insecure")
    assert (added.exit_code, added.stderr) == (0, "")
    assert f"exported: {path} 10.1.0.5(rw,insecure,no_root_squash)" in added.stdout
    assert (
        berth("export", "add", path, "--client", "10.0.0.0/8", "--option", "insecure").stdout == "Nothing to change.\n"
    )
    listed = berth("export", "list")
    assert listed.stdout.splitlines()[0].split() == ["STATE", "PATH", "CLIENT", "OPTIONS", "WRITTEN", "IN"]
    assert listed.stdout.splitlines()[1].split() == [
        "live", path, "10.1.0.5", "rw,insecure,no_root_squash", "/etc/exports.d/berth.exports:2",
    ]  # fmt: skip
    rows = json.loads(berth("export", "list", "-o", "json").stdout)
    assert [(row["client"], row["state"]) for row in rows] == [("10.1.0.5", "live"), ("10.0.0.0/8", "live")]
    removed = berth("export", "remove", path, "--client", "10.1.0.5", "-o", "json")
    assert [each["client"] for each in json.loads(removed.stdout)["removed"]] == ["10.1.0.5"]
    assert "不再导出" in berth("export", "remove", path, "--lang", "zh").stdout
    assert berth("export", "list").stdout == "Nothing is exported.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "/srv/none", "--client", "10.0.0.0/8"], "/srv/none: it does not exist"),
        (["add", "/etc", "--client", "10.0.0.0/8"], "/etc: it belongs to the system"),
        (["add", "/srv"], "client: name who may mount it"),
        (["add", "/srv", "--client", "10.0.0.*"], "client"),
        (["add", "/srv", "--client", "@g", "--option", "no_root_sqash"], "option"),
        (["remove", "/srv"], "other files are left to their owners"),
    ],
)
def test_what_can_not_be_had(room: Room, berth: Berth, arguments: list[str], words: str) -> None:
    before = room.read()
    done = berth("export", *arguments)
    assert (done.exit_code, done.stdout) == (64, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("berth: ")
    assert words in line
    assert room.read() == before


def test_list_shows_where_file_and_table_differ(room: Room, berth: Berth) -> None:
    path = room.directory("a")
    room.write(f"{path} 10.0.0.0/8(ro,no_subtree_check)\n".encode())
    assert berth("export", "list").stdout.splitlines()[1].startswith("not live")
    zh = berth("export", "list", LC_ALL="zh_CN.UTF-8").stdout
    assert zh.startswith("状态")
    assert "未生效" in zh


@pytest.mark.parametrize(("text", "code"), ARTICLE.values(), ids=ARTICLE)
def test_the_guides_own_blocks(room: Room, berth: Berth, text: str, code: int) -> None:
    Path("/srv/exports").write_text(text)
    done = berth("lint", "/srv/exports")
    assert (done.exit_code, done.stderr) == (code, "")
    assert berth("lint", "/srv/exports", "--lang", "zh").exit_code == code
    found = json.loads(berth("lint", "/srv/exports", "-o", "json").stdout)
    assert bool(found["findings"]) == bool(code)
    assert found["exitCode"] == code


def test_what_the_guide_made_and_what_it_exports(room: Room, berth: Berth) -> None:
    """It makes /ksha3.2 and /demo, and exports /mount/ksha3.2 and /mount/demo."""
    text, _ = ARTICLE["what it adds"]
    room.directory("ksha3.2", 0o777)
    room.write(text.replace("/mount/", "/srv/mount/").replace("....\n", "").encode())
    found = json.loads(berth("lint", "-o", "json").stdout)
    missing = {each["facts"]["path"]: each for each in found["findings"] if each["id"] == "missing-directory"}
    assert set(missing) == {"/home/ubuntu/nfs/ks3.1", "/srv/mount/ksha3.2", "/srv/mount/demo"}
    assert "/srv/ksha3.2" in missing["/srv/mount/ksha3.2"]["do"]["en"]


def test_lint_of_what_a_provisioner_needs(room: Room, berth: Berth) -> None:
    path = room.directory("a")
    room.write(f"{path} 10.0.0.0/8(ro,no_subtree_check)\n".encode())
    done = berth("lint", "--path", path, "--provisioner", "10.0.0.7")
    assert done.exit_code == 2
    assert "read-only" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("errors: ")


def test_lint_of_nothing(room: Room, berth: Berth) -> None:
    assert berth("lint").stdout == "No findings.\n"
    assert berth("lint", "--lang", "zh").stdout == "没有发现问题。\n"
    unread = berth("lint", "/no/such/file")
    assert (unread.exit_code, unread.stdout) == (3, "")
    assert unread.stderr == "berth: /no/such/file: can't be read: No such file or directory\n"


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ('echo "exportfs: {path}: sad" >&2; exit 1', "exportfs 没有导出 10.0.0.0/8:{path}：{path}: sad；一切保持原样"),
        ("kill -9 $$", "`exportfs -a` 被信号 9 终止；一切保持原样"),
        ("echo sad >&2; exit 7", "`exportfs -a` 执行失败，退出码 7：sad；一切保持原样"),
    ],
)
def test_an_exportfs_that_fails_is_told_in_chinese_too(room: Room, berth: Berth, does: str, said: str) -> None:
    path = room.directory("nfs")
    fails = does.format(path=path)
    room.replace_program("/usr/sbin/exportfs", f'case "$*" in -a) {fails} ;; esac\nexec $REAL "$@"\n')
    done = berth("export", "add", path, "--client", "10.0.0.0/8", "--lang", "zh")
    assert (done.exit_code, done.stderr) == (2, f"berth: {said.format(path=path)}\n")
    assert room.read() == ""
