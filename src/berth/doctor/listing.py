"""All checks there are, by what they look at, and all failures that are known: what `berth doctor list` shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from berth.doctor.cluster.checks import CHECKS as CLUSTER
from berth.doctor.known import entries
from berth.doctor.node.checks import CHECKS as NODE
from berth.doctor.share.probed import probes, title
from berth.texts.text import Text


@dataclass(frozen=True, slots=True)
class Listed:
    """A check. group: the subcommand that runs it."""

    group: str
    id: str
    looks_at: Text


def checks() -> Iterator[Listed]:
    """Every check, group by group."""
    yield from (Listed("cluster", check.id, check.looks_at) for check in CLUSTER)
    yield from (Listed("node", check.id, check.looks_at) for check in NODE)
    yield from (Listed("share", probe, title(probe)) for probe in probes())


def as_dict() -> dict[str, object]:
    """For `-o json` and `-o yaml`."""
    return {
        "checks": [{"group": each.group, "id": each.id, "looksAt": each.looks_at.as_dict()} for each in checks()],
        "failures": [
            {
                "id": entry.id,
                "severity": entry.severity,
                "harm": entry.harm,
                "title": entry.title.as_dict(),
                "inLogs": bool(entry.patterns),
            }
            for entry in entries().values()
        ],
    }
