"""Edits change what they are for, and leave every other byte where it is."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from berth.nfsserver.errors import RequestRefused
from berth.nfsserver.exports.edit import with_export, without
from berth.nfsserver.exports.options import parse
from berth.nfsserver.exports.parse import Export, parse_exports
from tests.nfsserver.corpus import LINES

FILE = b"""# by hand
/srv/a  10.0.0.0/8(rw,sync)   192.0.2.1(ro) # both
"/srv/b c" \\
    *(ro)
/srv/d -rw 192.0.2.1
"""
OPTIONS = ("rw", "sync", "no_subtree_check")

JUNK = st.binary(max_size=60) | st.text('/srvab*()",-#\\0472 \t\n\r', max_size=80).map(str.encode)
SANE = st.lists(st.sampled_from(list(LINES.values())), max_size=3).map(b"\n".join) | JUNK


@given(content=JUNK | st.binary())
def test_any_bytes_are_understood_somehow_and_kept(content: bytes) -> None:
    file = parse_exports(content, "file")
    assert file.content == content
    assert len(file.exports) <= len(file.entries)


@given(content=SANE, client=st.sampled_from(["*", "192.0.2.1", "10.0.0.0/8", "@trusted", "new"]))
def test_an_export_that_is_put_in_is_the_only_thing_that_changes(content: bytes, client: str) -> None:
    before = parse_exports(content)
    assume(not before.problems)
    try:
        after = with_export(before, "/srv/a", client, OPTIONS)
    except RequestRefused:
        return
    wanted = Export("/srv/a", client, parse(OPTIONS))
    assert sorted(map(repr, others(after.exports, wanted))) == sorted(map(repr, others(before.exports, wanted)))
    found = [e for e in after.exports if e.path == "/srv/a" and e.client.lower() == client.lower()]
    assert found[0].options.canonical() == wanted.options.canonical()
    assert with_export(after, "/srv/a", client, OPTIONS) is after


def others(exports: tuple[Export, ...], but: Export) -> list[tuple[str, str, object]]:
    rest = [e for e in exports if (e.path, e.client.lower()) != (but.path, but.client.lower())]
    return [(e.path, e.client, e.options.canonical()) for e in rest]


@given(content=SANE)
def test_an_export_that_is_taken_out_is_the_only_thing_that_changes(content: bytes) -> None:
    before = parse_exports(content)
    assume(not before.problems and before.exports)
    for export in before.exports:
        try:
            after = without(before, export.path, export.client)
        except RequestRefused:
            continue
        assert sorted(map(repr, others(after.exports, export))) == sorted(map(repr, others(before.exports, export)))
        assert len(after.exports) < len(before.exports)


@given(content=SANE)
def test_what_was_put_in_can_be_taken_out_without_a_trace(content: bytes) -> None:
    before = parse_exports(content)
    assume(not before.problems)
    try:
        after = without(with_export(before, "/new place", "10.9.0.0/16", OPTIONS), "/new place")
    except RequestRefused:
        return
    assert after.content in (content, content + b"\n", content + b"\n\n")


@pytest.mark.parametrize(
    ("path", "client", "old", "new"),
    [
        pytest.param("/srv/a", "192.0.2.9", b"1(ro) #", b"1(ro) 192.0.2.9(rw,sync,no_subtree_check) #", id="another"),
        pytest.param("/srv/a", "192.0.2.1", b"192.0.2.1(ro)", b"192.0.2.1(rw,sync,no_subtree_check)", id="changed"),
        pytest.param("/srv/b c", "*", b"*(ro)", b"*(rw,sync,no_subtree_check)", id="on a continued line"),
        pytest.param(
            "/srv/d", "*", b" 192.0.2.1\n", b" 192.0.2.1\n/srv/d *(rw,sync,no_subtree_check)\n", id="beside defaults"
        ),
        pytest.param(
            "/srv/e f", "*", b" 192.0.2.1\n", b" 192.0.2.1\n/srv/e\\040f *(rw,sync,no_subtree_check)\n", id="a new path"
        ),
    ],
)
def test_where_an_export_goes(path: str, client: str, old: bytes, new: bytes) -> None:
    assert with_export(parse_exports(FILE), path, client, OPTIONS).content == FILE.replace(old, new)


@pytest.mark.parametrize(
    ("path", "client", "old", "new"),
    [
        pytest.param("/srv/a", "192.0.2.1", b"   192.0.2.1(ro)", b"", id="the last of a line"),
        pytest.param("/srv/a", "10.0.0.0/8", b"  10.0.0.0/8(rw,sync)", b"", id="the first of a line"),
        pytest.param("/srv/a", None, b"/srv/a  10.0.0.0/8(rw,sync)   192.0.2.1(ro) # both\n", b"", id="a whole line"),
        pytest.param("/srv/b c", None, b'"/srv/b c" \\\n    *(ro)\n', b"", id="a continued line"),
        pytest.param("/srv/d", "192.0.2.1", b"/srv/d -rw 192.0.2.1\n", b"", id="with its defaults"),
        pytest.param("/srv/none", None, b"", b"", id="nothing at all"),
    ],
)
def test_what_goes_with_an_export(path: str, client: str | None, old: bytes, new: bytes) -> None:
    assert without(parse_exports(FILE), path, client).content == FILE.replace(old, new)


def test_defaults_never_stay_behind_alone() -> None:
    # `/a one -rw` would be an export to everybody.
    assert without(parse_exports(b"/a one -rw two\n"), "/a", "two").content == b"/a one\n"


def test_a_file_that_exportfs_reads_in_part_only_is_not_changed() -> None:
    with pytest.raises(RequestRefused, match="only up to line 2"):
        with_export(parse_exports(b"/a one\n/b two(oops)\n", "/etc/exports"), "/c", "*", OPTIONS)


@pytest.mark.parametrize("path", ["/a\\040b", "/a\0b"])
def test_a_path_that_can_not_be_written_is_refused(path: str) -> None:
    with pytest.raises(RequestRefused, match="by hand"):
        with_export(parse_exports(b""), path, "*", OPTIONS)


def test_an_unknown_option_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(RequestRefused, match="did you mean 'no_root_squash'"):
        with_export(parse_exports(b""), "/a", "*", ["no_rootsquash"])
