"""Messages in other languages, wherever they stand in a line, are told in English; other text is left as it is."""

from __future__ import annotations

import struct
from importlib.resources import files
from pathlib import Path

import pytest

from berth.doctor.wordings import in_english, spots
from berth.doctor.wordings.gather import HEAD, gather

ROWS = [
    line.split("\t")
    for name in ("messages.tsv", "more.tsv")
    for line in files("berth.doctor.wordings").joinpath(name).read_text("utf-8").splitlines()
    if not line.startswith("#")
]


def test_there_are_many_languages_and_each_has_the_errors_of_a_mount() -> None:
    languages = {
        language for _, _, where in ROWS for language in where.split() if "_" in language or len(language) == 2
    }
    assert len(languages) >= 30
    said = {english for english, _, where in ROWS if "zh_CN" in where}
    assert {"Stale file handle", "Connection refused", "target is busy", "changing ownership of %s"} <= said
    assert {"zh_TW", "ja", "ko", "de", "fr", "es", "ru", "pt_BR"} <= languages


def test_each_is_found_and_told_in_english() -> None:
    wanted: dict[str, set[str]] = {}
    for english, other, _ in ROWS:
        wanted.setdefault(other, set()).add(english)
    for other, meanings in wanted.items():
        if len(other.partition("%s")[0].encode()) < 6:
            continue  # told where an error follows that is found by itself
        line = f"prog: {other.replace('%s', '/a/b')}"
        assert list(spots(line.encode())), other
        assert in_english(line).replace("'/a/b'", "/a/b").replace("RPC : ", "RPC: ") in {
            f"prog: {each.replace('%s', '/a/b')}".replace("'/a/b'", "/a/b") for each in meanings
        }, other


@pytest.mark.parametrize(
    ("line", "english"),
    [
        ("mount.nfs: 拒绝连接", "mount.nfs: Connection refused"),
        ("OSError: [Errno 116] 过旧的文件控柄: '/d'", "OSError: [Errno 116] Stale file handle: '/d'"),
        ('open() "/d" failed (5: 输入/输出错误)', 'open() "/d" failed (5: Input/output error)'),
        ("(errno: 13 - 权限不够)", "(errno: 13 - Permission denied)"),
        ("umount: /mnt：目标忙。", "umount: /mnt: target is busy。"),
        ("设备上没有空间", "No space left on device"),
        (
            "chown: '/d x' の所有者を変更中: 許可されていない操作です",
            "chown: changing ownership of '/d x': Operation not permitted",
        ),
        ("mkdir: 无法创建目录“/d/a”: 只读文件系统", "mkdir: cannot create directory '/d/a': Read-only file system"),
    ],
)
def test_it_is_known_after_any_mark_and_with_any_quotes(line: str, english: str) -> None:
    assert in_english(line) == english


@pytest.mark.parametrize("line", ["没有人在连接", "I: Die Operation war gut", "plain English: Connection refused", ""])
def test_any_other_text_stays(line: str) -> None:
    assert in_english(line) == line
    assert list(spots(line.encode())) == []


def test_what_hides_its_text_is_a_spot() -> None:
    assert list(spots(b'{"msg": "\\u76ee\\u6807"}\n{"x": "\\u003c"}\n{"MESSAGE" : [ 1, 2 ]}\n')) == [9, 41]


def catalogue(file: Path, content: dict[str, str]) -> None:
    """Writes a .mo file, as msgfmt does."""
    pairs = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **content}.items())
    texts = [text.encode() + b"\0" for column in (0, 1) for text in (pair[column] for pair in pairs)]
    count, at, places = len(pairs), 28 + 16 * len(pairs), b""
    for text in texts:
        places += struct.pack("<II", len(text) - 1, at)
        at += len(text)
    file.parent.mkdir(parents=True)
    file.write_bytes(struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 0) + places + b"".join(texts))


def test_the_table_is_made_of_catalogues(tmp_path: Path) -> None:
    place = "share/locale/{}/LC_MESSAGES/libc.mo"
    catalogue(
        tmp_path / place.format("xx"), {"Stale file handle": "alt\nund kalt", "Invalid argument": "Invalid argument"}
    )
    catalogue(tmp_path / place.format("yy"), {"Stale file handle": "alt und kalt"})
    assert list(gather(tmp_path)) == ["Stale file handle\talt und kalt\txx yy"]
    assert HEAD.startswith("#")
