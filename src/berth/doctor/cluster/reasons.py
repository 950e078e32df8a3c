"""What the catalogue knows of the messages in Events."""

from __future__ import annotations

from collections.abc import Iterator

from berth.doctor.messages import known_in
from berth.findings.finding import Finding
from berth.findings.versions import Version
from berth.objects import runtime


def known_failures(event: runtime.Event, version: Version | None, **facts: str) -> Iterator[Finding]:
    """The findings that an Event is worth, about the objects in facts and those that its message names."""
    yield from known_in(event.text, facts, version=version, count=event.count or 1)
