"""Lines that are to be written anew: one error for each, with what is wrong and the line that is meant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from berth.findings.finding import Finding
from berth.nfsserver.exports.facts import FileSystem, HostFacts, PathFacts
from berth.nfsserver.exports.parse import parse_exports
from berth.nfsserver.lint.run import lint

DISK = FileSystem("/", "ext4")


def place(path: str) -> PathFacts:
    return PathFacts(path, path, "directory", 0o755, 0, 0, False, mount=DISK)


FACTS = HostFacts({path: place(path) for path in ("/srv/a", "/data/数据", "/data/有　空格", "/data/旧（2023）")})


def found(text: str, facts: HostFacts = FACTS) -> list[Finding]:
    return list(lint([parse_exports(text.encode(), "exports")], facts))


@pytest.mark.parametrize(
    ("line", "column", "name", "whole"),
    [
        ("/home *（rw,sync,no_root_squash） ", 8, "FULLWIDTH LEFT PARENTHESIS", "/home *(rw,sync,no_root_squash)"),
        ("/home/app 192.168.128.*（rw,sync)", 24, "U+FF08", "/home/app 192.168.128.*(rw,sync)"),
        ("/nfs/data　*(rw,sync,no_subtree_check)", 10, "IDEOGRAPHIC SPACE", "/nfs/data *(rw,sync,no_subtree_check)"),
        ("/nfs/b\u00a0*(rw,sync)", 7, "U+00A0 NO-BREAK SPACE", "/nfs/b *(rw,sync)"),
        ("/srv/a 10.0.0.0/8(rw，sync)", 21, "FULLWIDTH COMMA", "/srv/a 10.0.0.0/8(rw,sync)"),
        ("/srv/a 10.0.0.0／8(rw,sync)", 16, "FULLWIDTH SOLIDUS", "/srv/a 10.0.0.0/8(rw,sync)"),
        ("/srv/a 10。0。0。5(rw)", 10, "IDEOGRAPHIC FULL STOP", "/srv/a 10.0.0.5(rw)"),
        ("/srv/a 2001：db8::/32(rw)", 12, "FULLWIDTH COLON", "/srv/a 2001:db8::/32(rw)"),
        ("/srv/a *(rw,fsid＝1)", 17, "FULLWIDTH EQUALS SIGN", "/srv/a *(rw,fsid=1)"),
        ("/srv/a ＊(ro)", 8, "FULLWIDTH ASTERISK", "/srv/a *(ro)"),
        ("/srv/a node–1(ro)", 12, "EN DASH", "/srv/a node-1(ro)"),
        ("“/srv/a” *(ro)", 1, "LEFT DOUBLE QUOTATION MARK", '"/srv/a" *(ro)'),
        ("\ufeff/srv/a *(ro)", 1, "U+FEFF ZERO WIDTH NO-BREAK SPACE", "/srv/a *(ro)"),
        ("/srv/a\u200b *(ro)", 7, "U+200B ZERO WIDTH SPACE", "/srv/a *(ro)"),
        ("/srv/a *(ro,\u200bsync)", 13, "U+200B", "/srv/a *(ro,sync)"),
        ("／srv/a *(ro)", 1, "FULLWIDTH SOLIDUS", "/srv/a *(ro)"),
        ("/srv/a ＠group(ro)", 8, "FULLWIDTH COMMERCIAL AT", "/srv/a @group(ro)"),
        ("/data/数据（rw,sync）", 9, "FULLWIDTH LEFT PARENTHESIS", "/data/数据(rw,sync)"),
        ("/data/数据　*(rw,sync)", 9, "IDEOGRAPHIC SPACE", "/data/数据 *(rw,sync)"),
        ("/data/数据 *（rw,sync）", 11, "FULLWIDTH LEFT PARENTHESIS", "/data/数据 *(rw,sync)"),
        ("＃ 注释，不是导出", 1, "FULLWIDTH NUMBER SIGN", "# 注释，不是导出"),
        ("/srv/a *(ro)；", 13, "FULLWIDTH SEMICOLON", "/srv/a *(ro)"),
        ("/srv/a *(ro)。", 13, "IDEOGRAPHIC FULL STOP", "/srv/a *(ro)"),
        ("/srv/a *(ro；sync)", 12, "FULLWIDTH SEMICOLON", "/srv/a *(ro,sync)"),
        ("/srv/a *(ｒｗ)", 10, "FULLWIDTH LATIN SMALL LETTER R", "/srv/a *(rw)"),
    ],
)
def test_one_error_names_the_character_and_the_line_that_is_meant(
    line: str, column: int, name: str, whole: str
) -> None:
    (finding,) = found(f"# 一份导出文件（示例）\n{line}\n")
    assert (finding.id, finding.severity, str(finding.where)) == ("lookalike", "failure", "exports:2")
    assert f"column {column} is " in finding.seen.en
    assert f"第 {column} 列是 " in finding.seen.zh
    assert name in finding.seen.en
    assert name in finding.seen.zh
    for do in (finding.do.en, finding.do.zh):
        assert f"`{whole}`" in do


def test_a_line_that_is_continued_is_told_as_one() -> None:
    (finding,) = found("/srv/a \\\n  10.0.0.0/8（rw,sync）\n")
    assert (str(finding.where), finding.facts["column"]) == ("exports:2", 13)
    assert "`/srv/a  10.0.0.0/8(rw,sync)`" in finding.do.en


def test_a_blank_line_that_is_none() -> None:
    (finding,) = found("　\n")
    assert (finding.id, finding.do.en) == ("lookalike", "Leave the line empty.")


def test_what_is_lost_behind_it_is_told() -> None:
    results = found("/srv/a 10.0.0.0/8(rw，sync)\n/srv/a 192.0.2.0/24(rw,sync,no_subtree_check)\n")
    assert [finding.id for finding in results] == ["lookalike", "rest-unread"]
    assert results[1].facts["lost"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "/data/数据 10.0.0.0/8(rw,sync,no_subtree_check)",
        "/data/有　空格 10.0.0.0/8(rw,sync,no_subtree_check)",
        "/data/旧（2023） 10.0.0.0/8(rw,sync,no_subtree_check)",
        "/srv/a 10.0.0.0/8(rw,sync,no_subtree_check) # 内网（办公区），勿删",
    ],
)
def test_names_and_comments_are_what_they_are(text: str) -> None:
    assert found(text) == []


def test_a_directory_that_is_missing_may_have_such_a_name() -> None:
    (finding,) = found(
        "/data/资料（旧） 10.0.0.0/8(rw,sync,no_subtree_check)",
        replace(
            FACTS, paths={"/data/资料（旧）": PathFacts("/data/资料（旧）", "/data/资料（旧）", "missing", mount=DISK)}
        ),
    )
    assert finding.id == "missing-directory"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/srv/a -maproot=root -network 192.0.2.0 -mask 255.255.255.0", ("BSD", "192.0.2.0/24(rw", "no_root_squash")),
        ("/srv/a -alldirs -mapall=nobody", ("macOS", "alldirs", "all_squash")),
        ("/srv/a -maproot=www:www", ("root_squash", "`id www`", "anonuid=")),
        ("V4: /srv -sec=sys", ("NFSv4",)),
        ("/srv/a -rw=node1,root=node1", ("Solaris", "node1(rw,no_root_squash")),
        ("/srv/a -rw=node1,nosuid", ("Solaris", "nosuid")),
        ("EXPORT { Export_Id = 1; Path = /srv/a; Access_Type = RO; }", ("Ganesha", "/srv/a *(ro")),
        ("EXPORT {\n Export_Id = 1;\n}", ("Ganesha", "ganesha.conf")),
        ("10.0.0.5:/srv/a /mnt nfs defaults 0 0", ("/etc/fstab",)),
    ],
)
def test_another_systems_line_is_named_with_linuxs_form(line: str, words: tuple[str, ...]) -> None:
    results = found(line)
    assert {finding.id for finding in results} <= {"foreign-syntax", "fstab-line"}
    (finding,) = results
    for word in words:
        assert word in f"{finding.seen.en} {finding.do.en}"
        assert word in f"{finding.seen.zh} {finding.do.zh}"


@pytest.mark.parametrize("option", ["hard", "nfsvers=4.1", "_netdev", "noatime", "defaults", "soft"])
def test_an_option_of_a_mount_is_named_as_such(option: str) -> None:
    finding = found(f"/srv/a 10.0.0.0/8(rw,sync,no_subtree_check,{option})")[0]
    assert finding.id == "unknown-option"
    assert "an option of mount" in finding.seen.en
    assert "mountOptions" in finding.do.zh
