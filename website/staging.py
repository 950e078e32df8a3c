"""The pages as mkdocs takes them: one folder, language suffixes, and links that lead to pages of the site."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CHINESE = ".zh-CN.md"
_CODE_OR_LINK = re.compile(
    r"(?ms)^ *```.*?^ *```$"
    r"|(?P<image>!?)\[(?P<text>[^\[\]\n]*)\]\((?P<target>[^()\s]+)\)"
    r"|(?P<html>\b(?:src|srcset|href)=)\"(?P<address>[^\"\s]+)\""
    r"|(?<!`)`[^`\n]+`(?!`)"
)
_SWITCH = re.compile(r"(?m)^SWITCH\n+|^SWITCH · | SWITCH$".replace("SWITCH", r"\[(?:中文|English)\]\([^)]*\)"))
"""How pages in the repository lead to the other language; the site has a switch of its own."""


def sections() -> list[dict[str, Any]]:
    """nav.yaml."""
    found: list[dict[str, Any]] = yaml.safe_load((ROOT / "website" / "nav.yaml").read_text("utf-8"))
    return found


def chosen() -> dict[str, dict[str, str]]:
    """The entries of all pages of the nav, by their file in the repository."""
    return {page["file"]: page for section in sections() for page in section["pages"]}


def place(file: str) -> str:
    """Where a file of the repository lies among the site's: `docs/guides/faq.zh-CN.md` is `guides/faq.zh.md`."""
    name = "index" + file.removeprefix("README") if file.startswith("README.") else file.removeprefix("docs/")
    return name.replace(CHINESE, ".zh.md")


def nav() -> list[dict[str, Any]]:
    """As mkdocs has it, with English titles."""
    return [
        {section["title"]["en"]: [{page["en"]: place(page["file"])} for page in section["pages"]]}
        for section in sections()
    ]


def translations() -> dict[str, str]:
    """The Chinese title of each English one."""
    titles = [*(section["title"] for section in sections()), *chosen().values()]
    return {title["en"]: title["zh"] for title in titles}


def stage(folder: Path) -> None:
    """Makes the folder anew, with every page of the nav in each language that it has, and the pictures of docs/."""
    shutil.rmtree(folder, ignore_errors=True)
    staged = {file: place(file) for english in chosen() for file in (english, english.removesuffix(".md") + CHINESE)}
    staged = {file: to for file, to in staged.items() if (ROOT / file).is_file()}
    pictures = [*(ROOT / "docs").rglob("*.svg"), *(ROOT / "docs").rglob("*.png"), ROOT / "docs" / "output.schema.json"]
    for picture in pictures:
        file = picture.relative_to(ROOT).as_posix()
        staged[file] = place(file)
    for file, to in staged.items():
        (folder / to).parent.mkdir(parents=True, exist_ok=True)
        if file.endswith(".md"):
            text = (ROOT / file).read_text("utf-8")
            (folder / to).write_text(rewritten(text, file, staged), "utf-8")
        else:
            shutil.copyfile(ROOT / file, folder / to)


def rewritten(text: str, file: str, staged: Mapping[str, str]) -> str:
    """A page with links that lead to the site's pages. What is no page of it is named, and leads nowhere."""

    def relink(found: re.Match[str]) -> str:
        target, hash_, anchor = (found["target"] or found["address"] or "").partition("#")
        if not target or re.match(r"[a-z]+:", target):
            return found.group()
        meant = os.path.normpath(PurePosixPath(file).parent / target)
        if meant not in staged:
            return found["text"] or found.group()
        return _link(found, staged[file], staged[meant], f"{hash_}{anchor}", set(staged.values()))

    return _CODE_OR_LINK.sub(relink, _SWITCH.sub("", text, count=1))


def _link(found: re.Match[str], here: str, there: str, anchor: str, known: set[str]) -> str:
    """A link from a page of the site to another, or to a picture."""
    if found["html"]:
        return f'{found["html"]}"{_address(here, there)}{anchor}"'
    if here.endswith(".zh.md") and not there.endswith(".zh.md") and there.removesuffix(".md") + ".zh.md" in known:
        # To the English page on purpose, which mkdocs-static-i18n does not know when it builds the Chinese site.
        return f'<a href="{_address(here, there)}{anchor}">{found["text"]}</a>'
    # From a Chinese page to `x.md`: mkdocs-static-i18n takes the page of the reader's language.
    relative = os.path.relpath(re.sub(r"\.zh\.md$", ".md", there), PurePosixPath(here).parent)
    return f"{found['image']}[{found['text']}]({relative}{anchor})"


def _address(here: str, there: str) -> str:
    """The way from a page to another, or to a picture, as a browser goes it."""
    to = _url(there) if there.endswith(".md") else there
    return f"{'../' * _url(here).count('/')}{to}" or "./"


def _url(page: str) -> str:
    """Where the site has a page: guides/faq.zh.md at zh/guides/faq/."""
    language = "zh/" if page.endswith(".zh.md") else ""
    name = page.removesuffix(".md").removesuffix(".zh")
    return language if name == "index" else f"{language}{name}/"
