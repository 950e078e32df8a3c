"""A page of the documentation, as its blocks: what is typed, what comes back, and what is marked in comments.

A comment right above a block is for the tests; readers see none of it:

    <!-- runs: server -->        a console block is run on a host that becomes an NFS server (user-mode Linux)
    <!-- runs: share -->         … where the share's directory lies
    <!-- until: Bound -->        its last command is repeated until it prints this
    <!-- not run: WHY -->        it is not run: its commands are parsed, its programs and options are known
    <!-- file: claim.yaml -->    the block is saved as this file, where the commands below find it
    <!-- setup: COMMAND -->      run before the block, where the page takes for granted that it was

A console block without a comment is run where `kubectl` and `berth` reach the cluster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GUIDES = DOCS / "guides"
CHINESE = ".zh-CN.md"
_FENCE = re.compile(r"(?P<indent> *)```(?P<kind>\S*)\s*$")
_MARK = re.compile(r"<!-- (?P<name>runs|until|not run|file|setup): (?P<value>.+?) -->")
PROMPT = re.compile(r"[$#] (?=\S)")


@dataclass
class Command:
    """What is typed behind one prompt, lines that continue it included, and the lines that come back."""

    text: str
    shown: list[str]
    """The lines of the page: the prompt's, and those that continue it."""
    output: list[str] = field(default_factory=list)


@dataclass
class Block:
    """One fenced block. begin, end: the numbers of its first line and of that behind its last one, fences left out."""

    kind: str
    lines: list[str]
    begin: int
    end: int
    marks: dict[str, str]
    indent: str = ""

    @property
    def is_console(self) -> bool:
        return self.kind == "console"

    @property
    def is_run(self) -> bool:
        return self.is_console and "not run" not in self.marks

    @property
    def place(self) -> str:
        """Where it is run."""
        return self.marks.get("runs", "cluster")

    def commands(self) -> list[Command]:
        """What a console block has typed. ValueError where a line belongs to no command."""
        found: list[Command] = []
        goes_on = False
        for line in self.lines:
            if goes_on:
                found[-1].shown.append(line)
                found[-1].text += f"\n{line}"
            elif PROMPT.match(line):
                found.append(Command(line[2:], [line]))
            elif found:
                found[-1].output.append(line)
                continue
            else:
                raise ValueError(f"line {self.begin + 1}: a console block begins with a prompt, not with {line!r}")
            goes_on = line.endswith("\\")
        return found


@dataclass
class Page:
    """One file."""

    path: Path
    lines: list[str]
    blocks: list[Block]

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT)) if self.path.is_relative_to(ROOT) else self.path.name

    @property
    def language(self) -> str:
        return "zh" if self.path.name.endswith(CHINESE) else "en"

    def save(self) -> None:
        self.path.write_text("\n".join(self.lines) + "\n", "utf-8")


def read(path: Path) -> Page:
    """ValueError where a fence is not closed."""
    lines = path.read_text("utf-8").splitlines()
    return Page(path, lines, list(_blocks(lines)))


def _blocks(lines: list[str]) -> Iterator[Block]:
    number, marks = 0, dict[str, str]()
    while number < len(lines):
        line = lines[number]
        number += 1
        if mark := _MARK.fullmatch(line.strip()):
            marks[mark["name"]] = mark["value"]
        elif fence := _FENCE.match(line):
            begin = number
            while number < len(lines) and lines[number].strip() != "```":
                number += 1
            if number == len(lines):
                raise ValueError(f"line {begin}: this block has no end")
            inside = [each.removeprefix(fence["indent"]) for each in lines[begin:number]]
            yield Block(fence["kind"], inside, begin, number, marks, fence["indent"])
            number += 1
            marks = {}
        elif line.strip():
            marks = {}


def pages() -> list[Path]:
    """All pages that people read: the documentation's and those in the root."""
    found = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
    return sorted(path for path in found if path.name != "CHANGELOG.md")


def guides() -> list[Path]:
    """The pages whose blocks are run."""
    return sorted(path for path in GUIDES.glob("*.md") if any(block.is_run for block in read(path).blocks))
