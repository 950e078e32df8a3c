"""All checks there are, by what they look at, and all failures that are known: what `berth doctor list` shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from berth.doctor.known import entries
from berth.doctor.share.probed import catalogue as probes
from berth.texts.text import Text

_GROUPS = {"cluster": "berth.doctor.cluster.checks", "node": "berth.doctor.node.checks"}
"""Each group's module; its checks are the tuple CHECKS there."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A check. group: the subcommand that runs it."""

    group: str
    id: str
    looks_at: Text


def checks() -> Iterator[Listed]:
    """Every check, group by group."""
    for group, module in _GROUPS.items():
        if _is_there(module):
            yield from (Listed(group, check.id, check.looks_at) for check in import_module(module).CHECKS)
    for probe, said in probes().items():
        if "title" in said:
            yield Listed("share", probe, Text(**said["title"]))


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


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even its folder
        return False
