"""A report about a share, as a person reads it: one table, then what is wrong and what to do."""

from __future__ import annotations

from berth.cli.diagnosis import print_lines
from berth.cli.ending import EXIT_BLIND, EXIT_FAILED, EXIT_WARNINGS, EXIT_WELL
from berth.cli.output import Styled, say
from berth.cli.server.answering import marks
from berth.cli.tables import print_table
from berth.doctor.share.probed import Probed, ProbeOutcome, ShareReport, titles
from berth.findings.render import say_of_probe
from berth.texts.text import Language, Text

_CODES: dict[ProbeOutcome, int] = {"passed": EXIT_WELL, "warning": EXIT_WARNINGS, "failed": EXIT_FAILED}

_OUTCOMES = {
    "passed": Text("ok", "正常"),
    "skipped": Text("skipped", "跳过"),
    "warning": Text("warning", "警告"),
    "failed": Text("FAILED", "失败"),
}
_HEADINGS = Text("RESULT|PROBE|SEEN", "结果|检查项|所见")
_VERDICTS = {
    "passed": Text("{share} can be used.", "{share} 可以使用。"),
    "warning": Text("{share} can be used, but: {seen}.", "{share} 可以使用，但是：{seen}。"),
    "untried": Text("{share} could not be tried to the end: {seen}.", "{share} 未能检查到底：{seen}。"),
    "failed": Text("{share} can't be used: {seen}.", "{share} 不能使用：{seen}。"),
}
_NOT_TRIED = Text("not tried: {titles}", "未尝试：{titles}")


def exit_code(report: ShareReport) -> int:
    """What a command that looked at a share ends with."""
    return EXIT_BLIND if is_untried(report) else _CODES[report.outcome]


def is_untried(report: ShareReport) -> bool:
    """Whether it could not be tried to the end, and nothing is known to be broken."""
    return report.outcome == "warning" and any(probe.id == "write" for probe in _untried(report))


def _untried(report: ShareReport) -> list[Probed]:
    """What was not tried for the sake of an earlier failure."""
    return [probe for probe in report.probes if probe.is_barred]


def print_report(report: ShareReport, lang: Language) -> None:
    """All of it; what was not tried for the sake of an earlier failure is one line."""
    untried = _untried(report)
    shown = [probe for probe in report.probes if probe not in untried]
    rows = [(_OUTCOMES[probe.outcome].said(lang), probe.title.said(lang), probe.seen.said(lang)) for probe in shown]
    colours = marks([probe.outcome for probe in shown])
    print_table(_HEADINGS.said(lang).split("|"), rows, colours)
    if untried:
        say(_NOT_TRIED.said(lang).format(titles=titles(untried).said(lang)))
    told: set[Text] = set()
    for probe in shown:
        wrong = probe.finding
        if wrong is not None and wrong.severity != "note" and wrong.why not in told:
            told.add(wrong.why)
            say()
            print_lines(say_of_probe(wrong, lang, probe.title, _OUTCOMES[probe.outcome]))
    culprit = report.culprit
    say()
    seen = culprit.seen.said(lang) if culprit else ""
    verdict = (
        _VERDICTS["untried" if is_untried(report) else report.outcome].said(lang).format(share=report.share, seen=seen)
    )
    say(Styled(verdict, marks([report.outcome])[0]))
