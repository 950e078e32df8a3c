"""Findings in words, for a person, with the commands to type: a report, the worst first; or, of files, line by line.

Findings about files are told as linters do, each where it is; what a share's probes found below the table of probes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from berth.findings.finding import SEVERITIES, Finding, Question, Report, Severity, Subject, Unseen
from berth.settings.install import IMAGE
from berth.texts.command import Shell
from berth.texts.images import how_to_get_for
from berth.texts.text import Language, Text
from berth.texts.visible import fact

Style = Literal["failure", "warning", "note", "command", "faint", "plain", "good"]

LINES = 6
"""Lines of one finding at most."""
_QUOTED = 150
"""Characters of what shows it."""
_NAME = 200
"""Characters of a name."""
_NAMED = 3
"""Objects that are named behind a finding; how many more there are is said."""

SEVERITY: dict[Severity, Text] = {
    "failure": Text("FAILURE", "故障"),
    "warning": Text("WARNING", "警告"),
    "note": Text("NOTE", "提示"),
}
_COUNTED: dict[Severity, tuple[Text, Text]] = {
    "failure": (Text("1 failure", "1 个故障"), Text("{} failures", "{} 个故障")),
    "warning": (Text("1 warning", "1 个警告"), Text("{} warnings", "{} 个警告")),
    "note": (Text("1 note", "1 个提示"), Text("{} notes", "{} 个提示")),
}
_UNSEEN = (
    Text("1 thing could not be looked at", "1 项未能检查"),
    Text("{} things could not be looked at", "{} 项未能检查"),
)
_IN_FILES: dict[Severity, Text] = {
    "failure": Text("error", "错误"),
    "warning": Text("warning", "警告"),
    "note": Text("note", "提示"),
}
_IN_FILES_COUNTED = Text(
    "errors: {failure}, warnings: {warning}, notes: {note}", "错误 {failure}，警告 {warning}，提示 {note}"
)
_LABELS = (Text("why", "原因"), Text("do ", "处理"))
_ALSO = Text("also {}", "另有 {}")
_MORE = Text("{} and {} more", "{} 等 {} 个")
_TIMES = Text("seen {} times", "出现 {} 次")
_NOT_SEEN = Text("NOT SEEN", "未检查")
_QUESTION = Text("QUESTION", "待确认")
_IF_SO = Text("If so: {}", "如果是：{}")
_ASKED = (Text("1 question", "1 个待确认的问题"), Text("{} questions", "{} 个待确认的问题"))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the answer. label: its first word, in the style's colour; place: what stands before it, if anything."""

    text: str
    style: Style = "plain"
    label: str = ""
    place: str = ""


def say(report: Report, language: Language, nothing: Text) -> Iterator[Line]:
    """All lines of the answer. nothing: what to say when all is well."""
    yield Line(
        _summary(report, language, nothing), "plain" if report.findings or report.unseen or report.questions else "good"
    )
    for finding in report.findings:
        yield Line("")
        yield from say_finding(finding, language)
    for question in report.questions:
        yield Line("")
        yield from say_question(question, language)
    if report.unseen:
        yield Line("")
        yield from (_say_unseen(unseen, language) for unseen in report.unseen)


def say_finding(finding: Finding, language: Language) -> Iterator[Line]:
    """One finding, in at most LINES lines."""
    seen = finding.seen.said(language)
    yield Line(f"{seen}{_notes(finding, seen, language)} [{finding.id}]", finding.severity, _said(finding, language))
    yield from _why(finding, language)
    yield Line(f"  {finding.do.said(language)}")
    if finding.evidence and len(finding.commands) < LINES - 3:
        yield Line(f"    > {_evidence(finding.evidence[0])}", "faint")
    yield from _commands(finding.commands[: LINES - 3], language)


def say_question(question: Question, language: Language) -> Iterator[Line]:
    """A question: what was read, what answers it, and what it is if so."""
    ask, so = question.ask, question.if_so
    yield Line(f"{ask.seen.said(language)} [{so.id}]", "note", _QUESTION.said(language))
    yield from (Line(f"    > {_evidence(line)}", "faint") for line in so.evidence[:1])
    yield from (Line(Shell(f"    $ {command}"), "command") for command in ask.commands)
    stop, space = ("。", "") if language == "zh" else (".", " ")
    seen = so.seen.said(language)
    told = _IF_SO.said(language).format(f"{seen}{_notes(so, seen, language)}{stop}")
    yield Line(f"  {ask.do.said(language)}{space}{told}{space}{so.why.said(language)}")
    yield Line(f"  {so.do.said(language)}")
    yield from _commands(so.commands[: LINES - 3], language)


def say_of_files(findings: Sequence[Finding], language: Language, nowhere: Text) -> Iterator[Line]:
    """Findings about files, each where it is, and how many there are. nowhere: what to say for those in no file.

    What was explained once is not explained again: a cause that differs in names only, a cure that is the same.
    """
    told: set[object] = set()
    for finding in findings:
        place = str(finding.where or "") or nowhere.said(language)
        style: Style = "faint" if finding.severity == "note" else finding.severity
        label = _IN_FILES[finding.severity].said(language)
        yield Line(f" {finding.id}: {finding.seen.said(language)}", style, label, f"{place}: ")
        yield from () if _is_known(told, finding.id, _without_facts(finding)) else _why(finding, language)
        if not _is_known(told, finding.id, do := finding.do.said(language)):
            yield Line(f"  → {do}")
    counts = {severity: sum(each.severity == severity for each in findings) for severity in SEVERITIES}
    yield Line("")
    yield Line(_IN_FILES_COUNTED.said(language).format(**counts))


def _is_known(told: set[object], *said: str) -> bool:
    """Whether it was told; from now on it is."""
    is_known = said in told
    told.add(said)
    return is_known


def _without_facts(finding: Finding) -> str:
    """Its cause without the names that stand in it."""
    why = finding.why.en
    for value in sorted(map(str, finding.facts.values()), key=len, reverse=True):
        why = why.replace(fact(value), "") if len(value) > 1 else why
    return why


def in_a_sentence(finding: Finding) -> Text:
    """The finding as the one sentence with which a command ends."""
    seen, why, do = finding.seen, finding.why, finding.do
    if not why.en:
        return Text(f"{seen.en}; {do.en}", f"{seen.zh}；{do.zh}")
    return Text(f"{seen.en}: {why.en}. {do.en}", f"{seen.zh}：{why.zh}。{do.zh}")


def say_of_probe(finding: Finding, language: Language, title: Text, label: Text) -> Iterator[Line]:
    """What a probe found wrong. title: the probe's; label: what is said instead of the finding's severity."""
    yield Line(title.said(language), finding.severity, label.said(language))
    for named, text in zip(_LABELS, (finding.why, _do_with_commands(finding)), strict=True):
        yield Line(f"  {named.said(language)}  {text.said(language)}")


def note_of(command: Shell, language: Language) -> str:
    """What stands in the line below a command: how to get the image that it needs; empty where it needs none."""
    how = how_to_get_for(command, IMAGE)
    return f"# {how.said(language)}" if how is not None else ""


def _commands(commands: Sequence[Shell], language: Language) -> Iterator[Line]:
    for command in commands:
        yield Line(Shell(f"    $ {command}"), "command")
        if note := note_of(command, language):
            yield Line(f"      {note}", "faint")


def _do_with_commands(finding: Finding) -> Text:
    """What to do, with the commands as a part of the sentence."""
    if not finding.commands:
        return finding.do
    commands = "; ".join(f"`{command}`" for command in finding.commands)
    return Text(f"{finding.do.en} {commands}", f"{finding.do.zh}{commands}")


def _why(finding: Finding, language: Language) -> Iterator[Line]:
    if why := finding.why.said(language):
        yield Line(f"  {why}")


def _said(finding: Finding, language: Language) -> str:
    return SEVERITY[finding.severity].said(language)


def _evidence(line: str) -> str:
    return f"{line[:_QUOTED]}…" if len(line) > _QUOTED else line


def _notes(finding: Finding, seen: str, language: Language) -> str:
    """What else it is about, and how often it was seen."""
    notes = []
    others = [fact(subject.text.said(language), _NAME) for subject in finding.about if not _is_named(subject, seen)]
    if others:
        notes.append(_ALSO.said(language).format(_listed(others, language)))
    if finding.count > 1:
        notes.append(_TIMES.said(language).format(finding.count))
    separator, brackets = ("；", "（{}）") if language == "zh" else ("; ", " ({})")
    return brackets.format(separator.join(notes)) if notes else ""


def _is_named(subject: Subject, seen: str) -> bool:
    """Findings about a host speak of this host."""
    return fact(subject.name, _NAME) in seen or subject.kind == "host"


def _listed(names: Sequence[str], language: Language) -> str:
    shown = ("、" if language == "zh" else ", ").join(names[:_NAMED])
    more = len(names) - _NAMED
    if more <= 0:
        return shown
    return _MORE.said(language).format(shown, len(names) if language == "zh" else more)


def _say_unseen(unseen: Unseen, language: Language) -> Line:
    colon = "：" if language == "zh" else ": "
    text = f"{fact(unseen.what.said(language))}{colon}{unseen.reason.said(language)}"
    return Line(text, "warning", _NOT_SEEN.said(language))


def _summary(report: Report, language: Language, nothing: Text) -> str:
    parts = []
    for severity in SEVERITIES:
        count = sum(finding.severity == severity for finding in report.findings)
        if count:
            one, many = _COUNTED[severity]
            parts.append((one if count == 1 else many).said(language).format(count))
    if report.unseen:
        one, many = _UNSEEN
        parts.append((one if len(report.unseen) == 1 else many).said(language).format(len(report.unseen)))
    parts = parts or [nothing.said(language)]
    if report.questions:
        one, many = _ASKED
        parts.append((one if len(report.questions) == 1 else many).said(language).format(len(report.questions)))
    return ("，" if language == "zh" else ", ").join(parts)
