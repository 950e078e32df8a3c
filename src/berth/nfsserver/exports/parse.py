"""exports(5), read as the real exportfs reads it, with every byte kept in its place.

    line       = path {"-" defaults | client ["(" options ")"]} [comment]

Four things surprise people, and are true of the real exportfs:
* A path with no client after it, or `-defaults` with none after them, is exported to everybody.
* `host (rw)` is two clients: host with the defaults, and everybody with rw.
* At the first mistake (an unknown option, a bad value, an unfinished list) the rest of that file is not read, and what
  it would export is not exported. Here everything is read, and is_read tells which entries exportfs would get to see.
* Where one client is listed twice for a path, also in two files, the first wins and the other is ignored.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Literal

from berth.nfsserver.exports.clients import EVERYBODY
from berth.nfsserver.exports.flags import VARYING, Flag
from berth.nfsserver.exports.lexer import CLIENT_LIMIT, PATH_LIMIT, Lexer, Word, decode
from berth.nfsserver.exports.options import BadOption, Options, parse, split

ProblemCode = Literal[
    "unknown-option", "bad-option-value", "bad-option-list", "word-too-long", "empty-path", "carriage-return"
]


@dataclass(frozen=True, slots=True)
class Export:
    """One path, for one client, with the options in effect: what `exportfs -v` shows as one entry."""

    path: str
    client: str
    """As exportfs names it; `*` for everybody."""
    options: Options
    source: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.client}:{self.path}"


@dataclass(frozen=True, slots=True)
class ExportEntry:
    """One client of a line, as it is written and as it is understood."""

    export: Export
    word: Word | None
    """Where it is written; None where no client is written at all, which means everybody."""
    name: str
    """The client's name as written; empty where there is none before the parenthesis, or nothing at all."""
    own: tuple[str, ...] | None
    """The options between its parentheses; None without parentheses."""
    defaults: tuple[str, ...]
    """The default options in effect here."""
    is_read: bool
    """False: exportfs gave up on the file before it came here."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One path and all its clients."""

    path: str
    line: int
    word: Word
    """Where the path is written."""
    end: int
    """content[word.start:end] is all of it, with continuation lines and a comment, without the newline."""
    entries: tuple[ExportEntry, ...]
    defaults: tuple[Word, ...]
    """The `-defaults` words."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake at which exportfs gives up on the file. detail: facts for the text."""

    code: ProblemCode
    line: int
    detail: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ExportsFile:
    """One exports file, understood. content is what it was made from, byte for byte."""

    content: bytes
    source: str
    statements: tuple[Statement, ...]
    problems: tuple[Problem, ...]

    @property
    def entries(self) -> tuple[ExportEntry, ...]:
        """All entries in the order of the file, whether exportfs gets to see them or not."""
        return tuple(entry for statement in self.statements for entry in statement.entries)

    @property
    def exports(self) -> tuple[Export, ...]:
        """What exportfs takes from this file, in the order of the file."""
        return tuple(entry.export for entry in self.entries if entry.is_read)


def parse_exports(
    content: bytes, source: str = "", varying: Flag = VARYING, unknown: Container[str] = ()
) -> ExportsFile:
    """Any bytes, understood as far as they can be; never raises. source: the file's name, for messages; unknown:
    options at which the exportfs in question stops because it is too old for them.
    """
    return _Reader(content, source, varying, unknown).read()


class _Reader:
    """Reads a whole file, statement by statement."""

    def __init__(self, content: bytes, source: str, varying: Flag, unknown: Container[str]) -> None:
        self.words = Lexer(content)
        self.source = source
        self.varying = varying
        self.unknown = unknown
        self.problems: list[Problem] = []
        self._newlines = [at for at, char in enumerate(content) if char == 0x0A]

    def read(self) -> ExportsFile:
        words = self.words
        statements: list[Statement] = []
        while True:
            words.skip(b" \t\n")
            if words.is_at_end:
                return ExportsFile(words.content, self.source, tuple(statements), tuple(self.problems))
            start = words.at
            path = words.word(PATH_LIMIT)
            if isinstance(path, Word):
                statements.append(_StatementReader(self, path).read())
            elif path == "too long":
                self.complain("word-too-long", start, word=_excerpt(words.content, start), limit=str(PATH_LIMIT - 1))
                words.skip_line()
            else:
                is_return = words.content[start : start + 1] == b"\r"
                self.complain("carriage-return" if is_return else "empty-path", start)
                if not is_return:
                    words.skip_line()

    def line_of(self, at: int) -> int:
        return bisect_right(self._newlines, at - 1) + 1

    def complain(self, code: ProblemCode, at: int, **detail: str) -> None:
        self.problems.append(Problem(code, self.line_of(at), detail))


class _StatementReader:
    """Reads what follows a path, up to the end of its line."""

    def __init__(self, reader: _Reader, path: Word) -> None:
        self._reader = reader
        self._word = path
        self._path = decode(path.value)
        self._line = reader.line_of(path.start)
        self._defaults = Options()
        self._listed: tuple[str, ...] = ()
        self._default_words: list[Word] = []
        self._entries: list[ExportEntry] = []

    def read(self) -> Statement:
        is_first = True
        while True:
            word = self._next()
            if word == "stop" or (word is None and not is_first):
                break
            is_first = False
            if isinstance(word, Word) and word.value.startswith(b"-"):
                self._take_defaults(word)
                word = self._next()
                if word == "stop":
                    break
            self._take_client(word if isinstance(word, Word) else None)
        end = self._reader.words.at
        return Statement(self._path, self._line, self._word, end, tuple(self._entries), tuple(self._default_words))

    def _next(self) -> Word | Literal["stop"] | None:
        words = self._reader.words
        words.skip(b" \t")
        start = words.at
        word = words.word(CLIENT_LIMIT)
        if isinstance(word, Word):
            return word
        if word == "empty":
            return None
        excerpt = _excerpt(words.content, start)
        self._reader.complain("word-too-long", start, word=excerpt, limit=str(CLIENT_LIMIT - 1))
        words.skip_line()
        return "stop"

    def _take_defaults(self, word: Word) -> None:
        self._default_words.append(word)
        listed = split(decode(word.value[1:]))
        options = self._options(word, listed)
        if options is not None:
            self._defaults = options
            self._listed += listed

    def _take_client(self, word: Word | None) -> None:
        text = decode(word.value) if word else ""
        name, parenthesis, rest = text.partition("(")
        own: tuple[str, ...] | None = None
        options: Options | None = self._defaults
        if word and parenthesis:
            if not rest.endswith(")") or ")" in rest[:-1]:
                self._reader.complain("bad-option-list", word.start, word=text, path=self._path)
                self._skip_list(rest)
                return
            own = split(rest[:-1])
            options = self._options(word, own)
        if options is None:
            return
        line = self._reader.line_of(word.start) if word else self._line
        export = Export(self._path, name or EVERYBODY, options, self._reader.source, line)
        self._entries.append(ExportEntry(export, word, name, own, self._listed, not self._reader.problems))

    def _skip_list(self, rest: str) -> None:
        """What belongs to a list with blanks in it is no client, for those who want to know what else is wrong."""
        while ")" not in rest:
            word = self._next()
            if not isinstance(word, Word):
                return
            rest = decode(word.value)

    def _options(self, word: Word, listed: tuple[str, ...]) -> Options | None:
        try:
            return parse(listed, self._defaults, self._reader.varying, self._reader.unknown)
        except BadOption as bad:
            known = {"option": bad.option, "path": self._path}
            if bad.why:
                self._reader.complain("bad-option-value", word.start, why=bad.why, **known)
            else:
                self._reader.complain("unknown-option", word.start, nearest=bad.nearest, since=bad.since, **known)
            return None


def _excerpt(content: bytes, start: int) -> str:
    return decode(content[start : start + 40].split(b"\n")[0]) + "…"
