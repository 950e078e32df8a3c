"""Versions of Kubernetes, and the ranges for which something holds (`>=1.20 <1.24`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_VERSION = re.compile(r"v?(\d+)\.(\d+)\+?(?:\.\d+)?(?:[-+.]\S*)?")
_BOUND = re.compile(r"(>=|<)(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A minor version of Kubernetes; what came in a patch release is not told apart."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


def parse_version(text: str) -> Version:
    """The version that text says (`1.23`, `v1.23.4+k3s1`, `v1.30.0-rc.1`). ValueError if it says none."""
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a version of Kubernetes such as 1.28")
    return Version(int(match[1]), int(match[2]))


@dataclass(frozen=True, slots=True)
class Range:
    """From a version on, and below another; where neither is given, every version, known or not."""

    since: Version | None = None
    below: Version | None = None

    def holds(self, version: Version | None) -> bool:
        """Whether version is in the range. One that is not known is in none that has bounds."""
        if self.since is None and self.below is None:
            return True
        if version is None:
            return False
        return (self.since is None or version >= self.since) and (self.below is None or version < self.below)

    def __str__(self) -> str:
        if self.since is not None and self.below is not None:
            return f"{self.since}-{self.below.major}.{self.below.minor - 1}"
        return f"{self.since}+" if self.since else f"<{self.below}" if self.below else ""


def parse_range(text: str) -> Range:
    """The range that text says. ValueError names the word that is no bound."""
    bounds: dict[str, Version] = {}
    for word in text.split():
        match = _BOUND.fullmatch(word)
        if match is None or match[1] in bounds:
            raise ValueError(f"{word!r} is not a bound such as >=1.20 or <1.24")
        bounds[match[1]] = Version(int(match[2]), int(match[3]))
    return Range(bounds.get(">="), bounds.get("<"))
