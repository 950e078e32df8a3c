"""Findings about lines that are to be written anew: look-alikes of characters, and the languages of other systems.

What else such a line seems to say is nothing that anybody meant, and is not told beside it (echoes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from berth.findings.finding import Finding
from berth.nfsserver.exports.flags import SWITCHES, VALUED
from berth.nfsserver.exports.foreign import Foreign, ganesha_blocks, recognise
from berth.nfsserver.exports.lexer import CLIENT_LIMIT, Lexer, Word, decode, encode
from berth.nfsserver.exports.parse import ExportsFile, Statement
from berth.nfsserver.lint.finding import find
from berth.nfsserver.lint.lint_context import LintContext
from berth.nfsserver.texts import say
from berth.texts.lookalikes import LookalikeCharacter, corrected, lookalikes
from berth.texts.text import Text


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A finding about lines of a file that are to be written anew."""

    finding: Finding
    source: str
    lines: range


def rewritten(context: LintContext) -> Iterator[Rewritten]:
    """All such lines."""
    for file in context.files:
        in_blocks: set[int] = set()
        for block in ganesha_blocks(decode(file.content)):
            in_blocks |= set(block.lines)
            facts = {"linux": "; ".join(block.linux)} if block.linux else {}
            variant = "ganesha" if block.linux else "ganesha-empty"
            finding = find("foreign-syntax", variant=variant, source=file.source, line=block.lines[0], **facts)
            yield Rewritten(finding, file.source, block.lines)
        for statement in file.statements:
            if statement.line not in in_blocks:
                yield from _of_statement(context, file, statement)


def _of_statement(context: LintContext, file: ExportsFile, statement: Statement) -> Iterator[Rewritten]:
    words = list(_words(file.content, statement))
    foreign = recognise([decode(word.value) for word in words])
    finding = _lookalike(context, file, statement, words) or (_foreign(file, statement, foreign) if foreign else None)
    if finding:
        more = file.content[statement.word.start : statement.end].count(b"\n")
        yield Rewritten(finding, file.source, range(statement.line, statement.line + more + 1))


def _foreign(file: ExportsFile, statement: Statement, foreign: Foreign) -> Finding:
    if foreign.system == "fstab":
        return find("fstab-line", source=file.source, line=statement.line)
    where: dict[str, Any] = {"source": file.source, "line": statement.line, "path": statement.path}
    if not foreign.linux:
        return find("foreign-syntax", variant="bsd-v4", **where)
    more = [say("foreign.dropped", dropped=", ".join(foreign.dropped))] if foreign.dropped else []
    more += [say("foreign.users", user=user) for user in foreign.users]
    told = Text("".join(each.en for each in more), "".join(each.zh for each in more))
    return find("foreign-syntax", variant=foreign.system, linux="; ".join(foreign.linux), more=told, **where)


def _words(content: bytes, statement: Statement) -> Iterator[Word]:
    """All words of it, also those that are no clients."""
    words = Lexer(content, statement.word.start)
    while words.at < statement.end:
        words.skip(b" \t")
        word = words.word(CLIENT_LIMIT)
        if not isinstance(word, Word):
            return
        yield word


def _lookalike(context: LintContext, file: ExportsFile, statement: Statement, words: list[Word]) -> Finding | None:
    found: list[tuple[int, LookalikeCharacter]] = []
    for at, word in enumerate(words):
        text = decode(file.content[word.start : word.end])
        if at == 0 and _is_there(context, statement.path):
            continue
        is_named = at == 0 and not _holds_options(text)
        for each in lookalikes(text, names=is_named or "=/" in text):
            found.append((word.start + len(encode(text[: each.at])), _as_in_exports(each, text)))
    if not found:
        return None
    (place, first), start = found[0], statement.word.start
    if first.meant == "#" and place == start:  # what follows is a comment
        found = found[:1]
    end = words[-1].end
    line_start = file.content.rfind(b"\n", 0, place) + 1
    text = decode(file.content[start:end])
    moved = tuple(LookalikeCharacter(len(decode(file.content[start:at])), each.char, each.meant) for at, each in found)
    whole = re.sub(r"\\\n[ \t]*", " ", corrected(text, moved)).strip()
    return find(
        "lookalike",
        variant="several" if len(found) > 1 and whole else "one" if whole else "nothing",
        source=file.source,
        line=file.content.count(b"\n", 0, place) + 1,
        column=len(decode(file.content[line_start:place])) + 1,
        said=first.said,
        more=len(found) - 1,
        whole=whole,
    )


def _as_in_exports(found: LookalikeCharacter, text: str) -> LookalikeCharacter:
    """No `;` separates anything there, and no full stop ends a line."""
    if found.meant in (";", ".") and found.at == len(text) - 1:
        return replace(found, meant="")
    return replace(found, meant=",") if found.meant == ";" else found


def _is_there(context: LintContext, path: str) -> bool:
    place = context.facts.paths.get(path)
    return place is not None and place.kind != "missing"


def _holds_options(path: str) -> bool:
    """Whether what stands in a full-width bracket are options, and so no part of a directory's name."""
    inside = path.partition("（")[2].replace("，", ",").replace("）", ",").replace(")", ",")
    first = inside.partition(",")[0].partition("=")[0].strip()
    return first in SWITCHES or first in VALUED
