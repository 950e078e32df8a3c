"""How an exports file is understood: the rules that surprise people, line numbers, and what is never read."""

from __future__ import annotations

import pytest

from berth.nfsserver.exports.flags import Flag
from berth.nfsserver.exports.lexer import PATH_LIMIT, Lexer, Word
from berth.nfsserver.exports.parse import ExportsFile, parse_exports
from berth.nfsserver.exports.table import show
from tests.nfsserver.corpus import LINES


def pairs(file: ExportsFile) -> list[tuple[str, str]]:
    return [(export.path, export.client) for export in file.exports]


@pytest.mark.parametrize("content", [pytest.param(content, id=name) for name, content in LINES.items()])
def test_nothing_is_lost_and_words_are_where_they_are_said_to_be(content: bytes) -> None:
    file = parse_exports(content)
    assert file.content == content
    for statement in file.statements:
        words = [statement.word, *statement.defaults, *(entry.word for entry in statement.entries if entry.word)]
        for word in words:
            again = Lexer(content[word.start : word.end]).word(PATH_LIMIT)
            assert isinstance(again, Word)
            assert again.value == word.value
        assert statement.word.start <= min(word.start for word in words)
        assert max(word.end for word in words) <= statement.end <= len(content)


def test_a_blank_before_the_parenthesis_makes_two_clients() -> None:
    host, world = parse_exports(b"/srv/a host (rw)").exports
    assert (host.client, world.client) == ("host", "*")
    assert host.options.has(Flag.READ_ONLY)
    assert world.options.lacks(Flag.READ_ONLY)


def test_a_path_alone_is_for_everybody_and_read_only() -> None:
    assert [show(export) for export in parse_exports(b"/a").exports] == [
        "/a            \t<world>(sync,wdelay,hide,no_subtree_check,sec=sys,ro,root_squash,no_all_squash)"
    ]


def test_default_options_hold_from_there_on_for_their_line_only() -> None:
    first, second, third = parse_exports(b"/a -rw one -async two(ro)\n/b three").exports
    assert first.options.lacks(Flag.READ_ONLY)
    assert not first.options.has(Flag.ASYNC)
    assert second.options.has(Flag.ASYNC)
    assert second.options.has(Flag.READ_ONLY)
    assert third.options == parse_exports(b"/b three").exports[0].options


def test_everything_behind_a_mistake_is_understood_and_marked_as_unread() -> None:
    file = parse_exports(b"/a one(rw)\n/b two(rw,nosuch) three(rw)\n/c four(rw)\n")
    assert pairs(file) == [("/a", "one")]
    assert [(entry.export.client, entry.is_read) for entry in file.entries] == [
        ("one", True),
        ("three", False),
        ("four", False),
    ]
    assert [(problem.code, problem.line) for problem in file.problems] == [("unknown-option", 2)]


def test_lines_are_counted_as_an_editor_does() -> None:
    # The real exportfs does not count the lines of comments, and names wrong ones in its messages.
    file = parse_exports(b"# one\n\n/a \\\n  host(rw) \\\n  *(ro)\n# six\n/b host(oops)\n")
    assert [(export.client, export.line) for export in file.exports] == [("host", 4), ("*", 5)]
    assert file.problems[0].line == 7


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"/a *(rw,, ro)", "bad-option-list", id="a blank in the list"),
        pytest.param(b"/a *(rw", "bad-option-list", id="a list that is not closed"),
        pytest.param(b"/a *(", "bad-option-list", id="a list that is hardly opened"),
        pytest.param(b"/a *(rw)x", "bad-option-list", id="something behind the list"),
        pytest.param(b"/a *(RW)", "unknown-option", id="capitals"),
        pytest.param(b"/a *(anonuid)", "bad-option-value", id="no value"),
        pytest.param(b"/a *(sec=kerberos)", "bad-option-value", id="no flavour"),
        pytest.param(b"/a *(ro)\r\n\r\n/b *(ro)", "carriage-return", id="an empty line from Windows"),
        pytest.param(b'"" *(ro)', "empty-path", id="no path"),
        pytest.param(b"/" + b"a" * 1024 + b" *(ro)", "word-too-long", id="a long path"),
        pytest.param(b"/a *(" + b"ro," * 200 + b")", "word-too-long", id="a long list"),
    ],
)
def test_mistakes_at_which_exportfs_stops(content: bytes, code: str) -> None:
    file = parse_exports(content + b"\n/z *(ro)\n")
    assert file.problems[0].code == code
    assert ("/z", "*") not in pairs(file)
    assert file.entries[-1].export.path == "/z"


def test_a_name_that_is_no_text_survives() -> None:
    (export,) = parse_exports(b"/\xff\\303\\244 *(ro)").exports
    assert export.path.encode("utf-8", "surrogateescape") == b"/\xff\xc3\xa4"
