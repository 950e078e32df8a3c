"""What hosts say is shown as if it were said here; hosts are strangers, and whatever they send does no harm."""

from __future__ import annotations

from typing import Any

import pytest

from berth.cli.hosts.screen import Screen


def said(text: str, style: str = "", **more: Any) -> dict[str, Any]:
    """The facts of a line."""
    return {"parts": [[text, style, False]], "on_stderr": False, "hang": None, **more}


def test_of_one_host_lines_are_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(["root@a"])
    screen.show("root@a", "say", said("done", "green"))
    screen.show("root@a", "say", said("oh", on_stderr=True))
    screen.show("root@a", "table", {"headings": ["A", "B"], "rows": [["1", "2"]], "styles": []})
    assert capsys.readouterr() == ("done\nA  B\n1  2\n", "oh\n")


def test_of_several_each_line_is_behind_its_host(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(["root@a", "root@long"])
    screen.show("root@a", "say", said("done"))
    screen.show("root@long", "lines", {"text": "x\ny"})
    screen.show("root@a", "table", {"headings": ["A", "B"], "rows": [["1", "2"]], "styles": ["red"]})
    assert capsys.readouterr().out.splitlines() == [
        "root@a     done", "root@long  x", "root@long  y", "root@a     A  B", "root@a     1  2",
    ]  # fmt: skip


def test_what_a_terminal_obeys_is_shown_as_its_escape(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(["a"])
    screen.show("a", "say", {"parts": [["\x1b[2Jx", "red", False], ["\u202e\x07", "", True]], "hang": None})
    screen.show("a", "table", {"headings": ["\x1b]0;x\x07"], "rows": [["\r\n"]], "styles": ["\x1b[1m"]})
    out = capsys.readouterr().out
    assert not set("\x1b\x07\u202e\r") & set(out)
    assert r"\x1b[2Jx" in out


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("say", {}), ("say", {"parts": 1}), ("say", {"parts": [1, ["a"], ["a", 1, 2]], "hang": -5}),
        ("say", {"parts": [["a", "blink", False]], "hang": 10**9, "on_stderr": "yes"}),
        ("table", {"headings": 1, "rows": [], "styles": []}),
        ("table", {"headings": [], "rows": [[], 1], "styles": []}),
        ("table", {"headings": ["a"], "rows": [["1", "2"], None, [{}]], "styles": [None]}),
        ("exact", {"text": "{"}), ("exact", {"text": 1}), ("exact", {"text": "[" * 100_000}), ("doing", {"text": []}),
        ("lines", {}), ("reboot", {"text": "now"}), ("doing", {"text": "\x1b[2J"}),
    ],
)  # fmt: skip
def test_what_is_not_as_it_must_be_breaks_nothing(kind: str, facts: dict[str, Any]) -> None:
    screen = Screen(["a", "b"])
    screen.show("a", kind, facts)
    assert screen.answers.get("a") is None
