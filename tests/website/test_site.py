"""The site has every page in both languages, no link that leads nowhere, nothing that is fetched, and a search."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from website import links, staging
from website.__main__ import make

DOCS = staging.ROOT / "docs"
ENGLISH_ALONE = {"CONTRIBUTING.md", "CHANGELOG.md", "SUPPORT.md", "SECURITY.md", "CODE_OF_CONDUCT.md"}


def test_every_page_of_docs_is_in_the_nav_and_in_both_languages() -> None:
    english = {path.relative_to(staging.ROOT).as_posix() for path in DOCS.rglob("*.md") if ".zh-CN." not in path.name}
    chosen = staging.chosen()
    assert {file for file in chosen if file.startswith("docs/")} == english
    for file in chosen:
        assert (staging.ROOT / file).is_file(), file
        twin = file.removesuffix(".md") + staging.CHINESE
        assert (staging.ROOT / twin).is_file() is (file not in ENGLISH_ALONE), twin


def test_titles_are_there_in_both_languages_and_each_once() -> None:
    titles = [*(section["title"] for section in staging.sections()), *staging.chosen().values()]
    assert len({title["en"] for title in titles}) == len(titles)
    for title in titles:
        assert title["en"].strip()
        assert title["zh"].strip()


@pytest.mark.parametrize(
    ("text", "file", "wanted"),
    [
        ("[a](install.md#x)", "docs/server.md", "[a](install.md#x)"),
        ("[a](../README.md)", "docs/server.md", "[a](index.md)"),
        ("[`a`](docs/install.md)", "README.md", "[`a`](install.md)"),
        ("[a](docs/install.zh-CN.md)", "README.zh-CN.md", "[a](install.md)"),
        ("[a](install.md#x)", "docs/server.zh-CN.md", '<a href="../../install/#x">a</a>'),
        ('<img src="docs/x.svg">', "README.zh-CN.md", '<img src="../x.svg">'),
        ('<img src="docs/x.svg">', "README.md", '<img src="x.svg">'),
        ("[a](../LICENSE)", "docs/server.md", "a"),
        ("[a](https://example.com/x.md)", "docs/server.md", "[a](https://example.com/x.md)"),
        (
            "`[a](../LICENSE)`\n```\n[a](../LICENSE)\n```",
            "docs/server.md",
            "`[a](../LICENSE)`\n```\n[a](../LICENSE)\n```",
        ),
        ("# T\n\n[中文](server.zh-CN.md)\n\nx", "docs/server.md", "# T\n\nx"),
    ],
)
def test_links_lead_to_pages_of_the_site(text: str, file: str, wanted: str) -> None:
    names = ("README", "docs/install", "docs/server")
    staged = {each: staging.place(each) for name in names for each in (f"{name}.md", f"{name}{staging.CHINESE}")}
    staged["docs/x.svg"] = "x.svg"
    assert staging.rewritten(text, file, staged) == wanted


def test_what_leads_nowhere_or_loads_from_elsewhere_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "index.html").write_text('<h1 id="x">X</h1><a href="../">up</a><a href="#y">no</a>')
    (tmp_path / "index.html").write_text(
        '<a href="a/#x">ok</a><a href="a/#z">no</a><a href="b/">no</a><a href="https://example.com/">ok</a>'
        '<a href="https://nowhere">no</a><script src="https://cdn.example.com/x.js"></script>'
    )
    assert links.wrong(tmp_path) == [
        "a/index.html: #y: there is no such place on that page",
        "index.html: loads https://cdn.example.com/x.js from elsewhere",
        "index.html: a/#z: there is no such place on that page",
        "index.html: b/ leads nowhere",
        "index.html: https://nowhere is no address",
    ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with mkdocs' warnings as errors."""
    before = logging.getLogger("mkdocs").handlers[:]
    made = tmp_path_factory.mktemp("docs") / "site"
    make(made)
    logging.getLogger("mkdocs").handlers[:] = before
    return made


@pytest.mark.slow
def test_every_link_of_the_built_site_leads_somewhere_and_nothing_is_fetched(site: Path) -> None:
    assert len(list(site.rglob("index.html"))) >= 2 * len(staging.chosen())
    assert links.wrong(site) == []
    for page in site.rglob("*.html"):
        assert 'class="mermaid"' not in page.read_text("utf-8")  # its script would be fetched


@pytest.mark.slow
def test_the_nav_and_the_switch_speak_the_readers_language(site: Path) -> None:
    for language, page in (("en", site / "guides/faq/index.html"), ("zh", site / "zh/guides/faq/index.html")):
        text = page.read_text("utf-8")
        assert f'<html lang="{language}"' in text
        for title in (*staging.chosen().values(), *(section["title"] for section in staging.sections())):
            assert title[language].replace("'", "&#x27;") in text or title[language] in text, title
        assert {"en", "zh"} <= set(re.findall(r'hreflang="(\w+)"', text))


@pytest.mark.slow
def test_words_are_found_in_both_languages(site: Path) -> None:
    index: dict[str, Any] = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    separator = re.compile(index["config"]["separator"])
    assert index["config"]["lang"] == ["en", "zh"]

    def found(word: str) -> set[str]:
        return {
            each["location"].partition("#")[0]
            for each in index["docs"]
            if word in separator.split(re.sub("<[^>]+>", " ", f"{each['title']} {each['text']}").lower())
        }

    assert "guides/high-availability/" in found("pacemaker")
    assert "zh/guides/backup/" in found("备份")
    assert "zh/guides/monitoring/" in found("告警")
    assert "zh/guides/high-availability/" in found("宽限期") | found("宽限")
