"""Changes to an exports file that leave every other byte where it is.

Each change is read back before it is returned: the result exports exactly what it exported before, and the change. What
can't be changed so is RequestRefused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from berth.nfsserver.errors import RequestRefused
from berth.nfsserver.exports.lexer import quote
from berth.nfsserver.exports.options import BadOption, parse
from berth.nfsserver.exports.parse import Export, ExportEntry, ExportsFile, Statement, parse_exports
from berth.nfsserver.texts import say

_BLANKS_BEFORE = re.compile(rb"(?:[ \t]|\\\n)+\Z")


def with_export(file: ExportsFile, path: str, client: str, options: Sequence[str]) -> ExportsFile:
    """The file with path exported to client, with exactly these options. The same file when it says so already.

    A line for the path that has no defaults of its own is extended; otherwise a new line is put at the end.
    """
    _check_whole(file)
    try:
        wanted = Export(path, client, parse(options))
    except BadOption as bad:
        raise RequestRefused("--option", bad.said) from bad
    written = b"%s(%s)" % (quote(client), quote(",".join(options)))
    same = [(s, e) for s in file.statements for e in s.entries if _is(e, path, client)]
    if same:
        statement, entry = same[0]
        if entry.export.options.canonical() == wanted.options.canonical():
            return file
        content = _rewrite(file, statement, entry, written)
    else:
        content = _extend(file, path, written)
    expected = [entry.export for entry in file.entries if not _is(entry, path, client)]
    return _verified(file, content, [*expected, wanted])


def without(file: ExportsFile, path: str, client: str | None = None) -> ExportsFile:
    """The file without path for client (None: for anybody). The same file when it does not export that."""
    _check_whole(file)
    content = file.content
    for statement in reversed(file.statements):
        gone = [entry for entry in statement.entries if _is(entry, path, client)]
        if len(gone) == len(statement.entries) and gone:
            content = _cut_lines(content, statement)
        elif gone:
            content = _cut_entries(content, statement, gone)
    expected = [entry.export for entry in file.entries if not _is(entry, path, client)]
    return _verified(file, content, expected)


def _is(entry: ExportEntry, path: str, client: str | None) -> bool:
    export = entry.export
    return export.path == path and (client is None or export.client.lower() == client.lower())


def _rewrite(file: ExportsFile, statement: Statement, entry: ExportEntry, written: bytes) -> bytes:
    content = file.content
    if entry.word is None:
        at = max([statement.word.end, *(word.end for word in statement.defaults)])
        return content[:at] + b" " + written + content[at:]
    return content[: entry.word.start] + written + content[entry.word.end :]


def _extend(file: ExportsFile, path: str, written: bytes) -> bytes:
    for statement in file.statements:
        last = statement.entries[-1].word if statement.entries else None
        if statement.path == path and last and not statement.defaults:
            return file.content[: last.end] + b" " + written + file.content[last.end :]
    content = file.content
    if content and not content.endswith(b"\n"):
        content += b"\n"
    if content.endswith(b"\\\n"):
        content += b"\n"
    return content + quote(path) + b" " + written + b"\n"


def _cut_lines(content: bytes, statement: Statement) -> bytes:
    start = content.rfind(b"\n", 0, statement.word.start) + 1
    end = statement.end
    is_alone = not content[start : statement.word.start].strip(b" \t") and content[end : end + 1] in (b"\n", b"")
    if is_alone:
        return content[:start] + content[end + 1 :]
    return content[: statement.word.start] + content[end:]


def _cut_entries(content: bytes, statement: Statement, gone: Sequence[ExportEntry]) -> bytes:
    leaving = {entry.word for entry in gone if entry.word}
    kept = [entry.word for entry in statement.entries if entry not in gone]
    last_kept = max((word.end for word in kept if word), default=0)
    if None not in kept:
        # Defaults with nobody after them would be an export to everybody.
        leaving |= {word for word in statement.defaults if word.start > last_kept}
    for word in sorted(leaving, key=lambda each: each.start, reverse=True):
        blanks = _BLANKS_BEFORE.search(content, 0, word.start)
        content = content[: blanks.start() if blanks else word.start] + content[word.end :]
    return content


def _check_whole(file: ExportsFile) -> None:
    if file.problems:
        problem = file.problems[0]
        why = say("refused.broken-file", line=problem.line, code=problem.code)
        raise RequestRefused(file.source or "exports file", why)


def _verified(file: ExportsFile, content: bytes, expected: Sequence[Export]) -> ExportsFile:
    changed = file if content == file.content else parse_exports(content, file.source)
    if changed.problems or _count(changed.exports) != _count(expected):
        raise RequestRefused(file.source or "exports file", say("refused.by-hand"))
    return changed


def _count(exports: Sequence[Export]) -> Counter[Export]:
    return Counter(replace(export, options=export.options.canonical()) for export in exports)
