"""What a stranger finds who wants to ask, report or help: forms that GitHub takes, and pages that are there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / ".github" / "ISSUE_TEMPLATE"
FORMS = sorted(path for path in TEMPLATES.glob("*.yml") if path.name != "config.yml")
PAGES = ("README.md", "README.zh-CN.md", "SECURITY.md", "SUPPORT.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md")
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("schema", "paths"),
    [("github-issue-forms", FORMS), ("github-issue-config", [TEMPLATES / "config.yml"])],
    ids=["forms", "config"],
)
def test_github_takes_the_forms(schema: str, paths: list[Path]) -> None:
    argv = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, paths)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_each_form_asks_in_both_languages_for_what_the_doctor_says(path: Path) -> None:
    form = yaml.safe_load(path.read_text())
    asked: dict[str, Any] = {each.get("id", ""): each for each in form["body"]}
    assert asked["doctor"]["attributes"]["label"] == "berth doctor -o json --redact"
    texts = [form["name"], form["description"]]
    texts += [each["attributes"]["label"] for each in form["body"] if each["type"] == "textarea"]
    assert [text for text in texts if not HAN.search(text) and not text.startswith("berth ")] == []


def linked(page: Path) -> list[tuple[str, str]]:
    """Each link to a place of ours: the file, and the heading in it."""
    found = re.findall(r'(?:\]\(|srcset="|src=")([^)"\s]*)', page.read_text())
    own = [link for link in found if not re.match(r"[a-z]+:", link) and not link.startswith("../../")]
    return [(link.partition("#")[0], link.partition("#")[2]) for link in own]


def anchors(page: Path) -> set[str]:
    """The headings of a page as GitHub makes links of them."""
    heads = re.findall(r"(?m)^#+ (.+)$", page.read_text())
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_what_is_there(name: str) -> None:
    page = ROOT / name
    for file, heading in linked(page):
        target = page.parent / file if file else page
        assert target.exists(), file
        assert not heading or heading in anchors(target), f"{file}#{heading}"


@pytest.mark.parametrize("name", PAGES)
def test_nobody_is_named_who_does_not_exist(name: str) -> None:
    assert not re.search(r"\b[\w.]+@[\w-]+\.[a-z]+", (ROOT / name).read_text())


def test_the_pages_about_us_are_in_both_languages() -> None:
    for name in ("SECURITY.md", "SUPPORT.md", "CODE_OF_CONDUCT.md"):
        assert len(HAN.findall((ROOT / name).read_text())) > 150
