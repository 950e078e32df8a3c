"""One word for one thing: what docs/glossary.md says is not used stands in no Chinese text."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HAN = re.compile(r"[\u4e00-\u9fff]")
PLACES = ("src", "docs", "devcluster", "deploy", "README.zh-CN.md")
OTHERS_WORDS = (
    "docs/glossary",
    "src/berth/doctor/wordings/",
    "deploy/kubesphere/",
    "docs/kubesphere",
    "docs/guides/kubesphere",
)
"""Where other programs, and a console's own buttons, are quoted."""


def rows(page: str, separator: str) -> list[list[str]]:
    lines = [line for line in (ROOT / page).read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def banned() -> list[str]:
    return [word for row in rows("docs/glossary.md", ", ") for word in row[3].split(", ") if word]


def chinese() -> Iterator[tuple[str, str]]:
    """Every line with Chinese in it, with its place."""
    named = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PLACES],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    for name in named:
        if name.startswith(OTHERS_WORDS) or not (ROOT / name).is_file():
            continue
        for number, line in enumerate((ROOT / name).read_text("utf-8", "replace").splitlines(), 1):
            if HAN.search(line):
                yield f"{name}:{number}", line


def test_no_other_word_is_used() -> None:
    words = banned()
    assert len(words) > 8
    assert [f"{where}: {word}" for where, line in chinese() for word in words if word in line] == []


def test_the_words_that_english_has_in_chinese_stand_in_english() -> None:
    near = re.compile(r"[\u4e00-\u9fff，。] ?(?:API server|provisioner|leader)(?![\w`./:-])")
    assert [where for where, line in chinese() if near.search(line)] == []


def test_latin_words_and_chinese_are_parted_by_a_blank() -> None:
    torn = re.compile(r"[\u4e00-\u9fff](?:StorageClass|PVC|PV|Pod)\b|\b(?:StorageClass|PVC|PV|Pod)[\u4e00-\u9fff]")
    assert [where for where, line in chinese() if torn.search(line)] == []


def test_both_pages_have_the_same_words() -> None:
    english, other = rows("docs/glossary.md", ", "), rows("docs/glossary.zh-CN.md", "、")
    assert [(row[0], row[1].replace(", ", "、"), row[3].replace(", ", "、")) for row in english] == [
        (row[1], row[0], row[3]) for row in other
    ]
