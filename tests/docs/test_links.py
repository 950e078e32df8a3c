"""Links between the pages lead somewhere on the repository's own viewer: to a file, and to a heading of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.page import DOCS, ROOT, pages

_LINK = re.compile(r"\[[^\[\]\n]*\]\((?P<target>[^()\s]+)\)")
_HEADING = re.compile(r"(?m)^#{1,6} +(?P<text>.+?) *$")


def prose(path: Path) -> str:
    """A page without its code."""
    return re.sub(r"(?ms)^ *```.*?^ *```$", "", path.read_text("utf-8"))


def places(path: Path) -> set[str]:
    """The anchors of its headings, as repository viewers make them: small letters, no punctuation."""
    found: list[str] = []
    for heading in _HEADING.finditer(prose(path)):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading["text"]).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return set(found)


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(path: Path) -> None:
    wrong = []
    for link in _LINK.finditer(prose(path)):
        target, _, anchor = link["target"].partition("#")
        if link["target"].startswith("../../") and path.parent == ROOT:
            continue  # a page of the place where the repository is kept, such as that for reports of weaknesses
        if re.match(r"[a-z]+:", target):
            if not re.match(r"https://[\w.-]+\.[a-z]+(/|$)|http://www\.w3\.org/|mailto:", link["target"]):
                wrong.append(f"{link['target']} is no address")
            continue
        meant = (path.parent / target).resolve() if target else path
        if not meant.exists() or not meant.is_relative_to(ROOT):
            wrong.append(f"{link['target']} leads nowhere")
        elif anchor and meant.suffix == ".md" and anchor not in places(meant):
            wrong.append(f"{link['target']}: no such heading")
    assert wrong == []


def test_every_page_leads_to_its_other_language() -> None:
    for path in DOCS.rglob("*.md"):
        if path.name.endswith(".zh-CN.md"):
            assert f"({path.name.replace('.zh-CN.md', '.md')})" in path.read_text("utf-8"), path
        else:
            assert f"({path.name.removesuffix('.md')}.zh-CN.md)" in path.read_text("utf-8"), path
