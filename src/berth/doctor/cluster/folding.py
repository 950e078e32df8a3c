"""Many findings of one kind and one cure become one, so that five thousand ill claims are still read by a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from berth.findings.finding import Finding, Subject

MOST = 3
"""Findings of one kind that are told one by one."""


def fold(findings: Iterable[Finding]) -> list[Finding]:
    """The findings; but where more than MOST of them say the same of different objects, the first one stands for all of
    these.

    It is about its own objects and, of each of the others, about the first; it has the sum of their counts, and its own
    commands.
    """
    alike: defaultdict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for each in findings:
        alike[each.id, each.why.en, each.do.en].append(each)
    folded: list[Finding] = []
    for group in alike.values():
        if len(group) <= MOST:
            folded += group
            continue
        first, *others = group
        about: dict[Subject, None] = dict.fromkeys([*first.about, *(each.about[0] for each in others if each.about)])
        folded.append(replace(first, about=tuple(about), count=sum(each.count for each in group)))
    return folded
