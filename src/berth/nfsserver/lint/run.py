"""Findings about exports: what does not work, what works dangerously, and what works otherwise than it looks.

The rules are pure and live in rules_*.py; each is a function from a LintContext to findings. lint puts them together;
lint_host and lint_file ask the host for the facts first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from berth.findings.finding import SEVERITIES, Finding, Where
from berth.nfsserver.exports.export_files import read_exports, read_varying
from berth.nfsserver.exports.facts import HostFacts
from berth.nfsserver.exports.installed import NfsUtils, ask_installed
from berth.nfsserver.exports.parse import ExportsFile
from berth.nfsserver.exports.survey import survey, survey_host
from berth.nfsserver.lint import rules_live, rules_needs, rules_options, rules_places, rules_written
from berth.nfsserver.lint.lint_context import LintContext, Need
from berth.nfsserver.lint.rules_typed import rewritten

_RULES = (*rules_written.RULES, *rules_options.RULES, *rules_places.RULES, *rules_needs.RULES, *rules_live.RULES)


def lint(files: Sequence[ExportsFile], facts: HostFacts, needs: Sequence[Need] = ()) -> tuple[Finding, ...]:
    """All findings about files, by file and line, failures before warnings and notes.

    files: all that exportfs reads, in its order, or one by itself. needs: which paths a provisioner works in.
    """
    context = LintContext(tuple(files), facts, tuple(needs))
    order = {file.source: at for at, file in enumerate(files)}
    anew = tuple(rewritten(context))
    context = replace(context, anew=tuple((each.source, each.lines) for each in anew))
    found = dict.fromkeys(each.finding for each in anew)
    found |= dict.fromkeys(each for rule in _RULES for each in rule(context) if not _is_echo(context, each))

    def rank(finding: Finding) -> tuple[int, int, int]:
        where = finding.where or Where()
        return order.get(where.file, len(order)), where.line, SEVERITIES.index(finding.severity)

    return tuple(sorted(found, key=rank))


def _is_echo(context: LintContext, finding: Finding) -> bool:
    """Whether it is about what a line seems to say that is to be written anew."""
    where = finding.where or Where()
    return finding.id != "rest-unread" and context.is_anew(where.file, where.line)


async def lint_host(needs: Sequence[Need] = (), nfs_utils: NfsUtils | None = None) -> tuple[Finding, ...]:
    """Findings about all exports of this host, and about what is live. UnreadableExports: a file can't be read.

    nfs_utils: judged as that one reads them; None: as the installed one does.
    """
    files, facts = await survey_host(_paths(needs), nfs_utils=nfs_utils)
    return lint(files, facts, needs)


async def lint_file(path: Path, needs: Sequence[Need] = (), nfs_utils: NfsUtils | None = None) -> tuple[Finding, ...]:
    """Findings about one file as if it were the only one, on this host; the live table is left out. RequestRefused.

    nfs_utils: as in lint_host.
    """
    reader = nfs_utils or await ask_installed()
    files = (read_exports(path, read_varying(), reader.unknown if reader else ()),)
    facts = replace(await survey(files, None, _paths(needs)), nfs_utils=reader)
    return lint(files, facts, needs)


def _paths(needs: Iterable[Need]) -> list[str]:
    return [need.path for need in needs]
