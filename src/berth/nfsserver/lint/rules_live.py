"""Findings about the difference between the files and what is live."""

from __future__ import annotations

from collections.abc import Iterator

from berth.findings.finding import Finding
from berth.nfsserver.exports.clients import classify
from berth.nfsserver.exports.table import ExportRow, brief, compare
from berth.nfsserver.lint.finding import find
from berth.nfsserver.lint.lint_context import LintContext


def live(context: LintContext) -> Iterator[Finding]:
    """Files and live table, export by export; what lint has said of a client already is not said again."""
    facts = context.facts
    if facts.live is None:
        return
    idle: dict[tuple[str, int, str], list[str]] = {}
    for row in compare(context.spelled, facts.live, facts.varying):
        client = classify(row.client)
        if row.state == "not live" and (client.kind != "network" or client.network):
            idle.setdefault((row.source, row.line, row.path), []).append(row.client)
        elif row.state == "differs" and row.wanted and row.live:
            yield _about("live-differs", row, wanted=brief(row.wanted), live=brief(row.live))
        elif row.state == "only live":
            yield _about("only-live", row)
    for (source, line, path), clients in idle.items():
        yield find("not-live", source=source, line=line, path=path, client=", ".join(clients))


def _about(key: str, row: ExportRow, **facts: str) -> Finding:
    return find(key, source=row.source, line=row.line, path=row.path, client=row.client, **facts)


RULES = (live,)
