"""Path rules (I1): what may be a path, what never is, and that names stay within what a file system can hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from berth.volumes.errors import Refused
from berth.volumes.naming import (
    ARCHIVED,
    HOME,
    MAX_PART_BYTES,
    MAX_PATH_BYTES,
    archive_name,
    archive_stem,
    metadata_path,
    overlaps,
    recorded_name,
    shorten,
    split_path,
    volume_path,
)

# Texts that look like paths: the parts that matter, mixed with anything.
PARTS = st.one_of(
    st.sampled_from(
        ["", ".", "..", "...", HOME, ".BERTH", ".berth.new", "archived-x", "Archived-x", "a", "b", "~", "é"]
    ),
    st.text(max_size=8),
    st.text(min_size=200, max_size=300),
)
PATHS = st.one_of(st.text(max_size=40), st.lists(PARTS, max_size=6).map("/".join))
NORMAL_PARTS = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=4)
NORMAL = st.lists(NORMAL_PARTS.filter(lambda part: part not in (".", "..")), min_size=1, max_size=4).map("/".join)

PRINTABLE = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=260)
VOLUMES = st.lists(PRINTABLE.map(lambda part: shorten(f"v{part}")), min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("a", id="one part"),
        pytest.param("a/b/c", id="several parts"),
        pytest.param("..a/b..", id="dots at the border of a name"),
        pytest.param("...", id="three dots"),
        pytest.param(".hidden", id="a hidden directory"),
        pytest.param("a b", id="a space"),
        pytest.param("数据/卷", id="Chinese"),
        pytest.param(".berthing", id="more than Berth's own name"),
        pytest.param("a/.berth", id="Berth's name further down"),
        pytest.param("a/archived-b", id="an archive's name further down"),
        pytest.param("archive-b", id="nearly an archive's name"),
        pytest.param("a\\b", id="a backslash"),
        pytest.param("x" * MAX_PART_BYTES, id="the longest name"),
        pytest.param("/".join([*["x" * 255] * 3, "x" * 254, "y"]), id="the longest path"),
    ],
)
def test_a_path_below_the_root_is_taken_as_it_is(path: str) -> None:
    assert volume_path(path) == path


@pytest.mark.parametrize(
    ("path", "why"),
    [
        pytest.param("", "empty", id="the root itself"),
        pytest.param("/", "begins with `/`", id="the root of the server"),
        pytest.param("/a", "begins with `/`", id="absolute"),
        pytest.param("..", "'..'", id="the parent of the root"),
        pytest.param("a/../../b", "'..'", id="a way out"),
        pytest.param("a/..", "'..'", id="a way back to the root"),
        pytest.param("a/./b", "'.'", id="a dot"),
        pytest.param("a//b", "empty part", id="two slashes"),
        pytest.param("a/", "empty part", id="a slash at the end"),
        pytest.param("a\0b", "NUL", id="a NUL"),
        pytest.param("a/\ud800", "Unicode", id="half a character"),
        pytest.param("x" * (MAX_PART_BYTES + 1), "longer than 255 bytes", id="a name too long"),
        pytest.param("é" * 128, "longer than 255 bytes", id="a name too long in bytes alone"),
        pytest.param("/".join(["x" * 200] * 6), "longer than 1024 bytes", id="a path too long"),
    ],
)
def test_what_is_no_path_below_the_root_is_refused(path: str, why: str) -> None:
    with pytest.raises(Refused, match=r"^the field: ") as refusal:
        split_path(path, field="the field")
    assert why in refusal.value.why
    with pytest.raises(Refused):
        volume_path(path)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(".berth", id="Berth's own directory"),
        pytest.param(".berth/volumes/x", id="a path in it"),
        pytest.param(".berth.tmp/x", id="a name derived from it"),
        pytest.param(".BERTH/trash", id="the same on a server that ignores case"),
        pytest.param("archived-x", id="an archive"),
        pytest.param("archived-", id="the beginning of an archive's name"),
        pytest.param("archived-x/y", id="a path in an archive"),
        pytest.param("Archived-x", id="an archive on a server that ignores case"),
        pytest.param("a\nb", id="a line break"),
        pytest.param("a\x7fb", id="DEL"),
        pytest.param("a\x9bb", id="a C1 control character, which begins a terminal's escape sequence"),
        pytest.param("a\u2028b", id="a line separator"),
    ],
)
def test_a_volume_can_not_live_there(path: str) -> None:
    assert "/".join(split_path(path)) == path
    with pytest.raises(Refused):
        volume_path(path)


@given(PATHS)
@example("a/../../b")
@example("\udcff")
def test_whatever_the_text_a_volume_stays_inside_its_share(tmp_path_factory: pytest.TempPathFactory, path: str) -> None:
    try:
        assert volume_path(path) == path
    except Refused:
        return
    root = Path(os.path.realpath(tmp_path_factory.getbasetemp()))
    place = os.path.realpath(root / path)
    assert place == os.path.normpath(f"{root}/{path}") == f"{root}/{path}"
    assert place.startswith(f"{root}/")
    first = path.split("/")[0].lower()
    assert first != HOME
    assert not first.startswith(ARCHIVED)
    assert all(0 < len(os.fsencode(part)) <= MAX_PART_BYTES for part in path.split("/"))
    assert len(os.fsencode(path)) <= MAX_PATH_BYTES
    assert path.splitlines() == [path]


@given(NORMAL, NORMAL)
@example("a", "a")
@example("a", "a/b")
@example("a", "ab")
@example("a/b", "a")
@example("a/b", "a/c")
@example("a-b", "a")
def test_paths_overlap_when_the_parts_of_one_begin_the_other(one: str, other: str) -> None:
    short, long = sorted((one.split("/"), other.split("/")), key=len)
    assert overlaps(one, other) == (long[: len(short)] == short)
    assert overlaps(one, other) == overlaps(other, one)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 50))
@example("é" * 200, 0)
@example("a" + "é" * 200, 0)
@example("𝔘" * 100, 3)
def test_shortening_cuts_at_a_characters_border_and_no_more_than_needed(name: str, room: int) -> None:
    short = shorten(name, room)
    assert name.startswith(short)
    assert len(short.encode()) <= MAX_PART_BYTES - room
    rest = name.removeprefix(short)
    assert not rest or len((short + rest[0]).encode()) > MAX_PART_BYTES - room


@given(VOLUMES)
@example("x" * MAX_PART_BYTES)
@example("x" * 245)
@example("数" * 85)
def test_an_archive_of_any_volume_has_names_that_fit(path: str) -> None:
    stamped = archive_stem(path) + "-20260131T120000Z-99"
    for name in (archive_name(path), stamped):
        assert split_path(name) == (name,)
        assert name.startswith(ARCHIVED)
        assert name.startswith(archive_stem(path))
        assert split_path(metadata_path(name))
        assert recorded_name(metadata_path(name).rsplit("/", 1)[1]) == name


def test_an_archive_is_named_after_the_path_with_dashes() -> None:
    assert archive_name("team/data/x") == "archived-team-data-x"


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        pytest.param("pvc-1.json", "pvc-1", id="a record"),
        pytest.param(".pvc-1.json", "", id="a file that is being written"),
        pytest.param("pvc-1.json.tmp", "", id="another ending"),
        pytest.param("pvc-1", "", id="no ending"),
    ],
)
def test_only_finished_json_files_are_records(file_name: str, name: str) -> None:
    assert recorded_name(file_name) == name
