"""The take-over's findings: entries of findings.yaml, and how they are told under the names that it has always used.

A failure stops the take-over: it does not begin before that is mended.
"""

from __future__ import annotations

from collections.abc import Iterable

from berth.findings.catalogue import Catalogue
from berth.findings.finding import SEVERITIES, Finding
from berth.texts.visible import FACT

CATALOGUE = Catalogue("berth.operations.takeover", "findings.yaml", always=("kind",), shown=FACT)

find = CATALOGUE.find


def by_severity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The gravest first, otherwise in their order."""
    return tuple(sorted(findings, key=lambda one: SEVERITIES.index(one.severity)))


def object_of(finding: Finding) -> tuple[str, str]:
    """The kind and the name of what it is about: `deployment`, `kube-system/nfs`; `volumes` where it is those alone."""
    first = finding.about[0]
    match first.kind:
        case "workload":
            return str(finding.facts.get("kind", "deployment")), first.name
        case "volume":
            return "volumes", ""
    return first.kind, first.name


def called(finding: Finding) -> str:
    """What it is about, as a person types it: `class nfs-client`."""
    return " ".join(object_of(finding)).strip()
