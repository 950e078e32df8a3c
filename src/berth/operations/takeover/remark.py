"""What the take-over has to say about something it saw, in two languages. Pure values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from berth.texts.command import Shell
from berth.texts.text import Text

Weight = Literal["stop", "warning", "note"]
"""stop: the take-over does not begin before this is mended; warning: it works, but look at it; note: worth knowing."""
WEIGHTS: tuple[Weight, ...] = ("stop", "warning", "note")

_NAMED = 5
"""How many of several objects are named in a sentence; JSON has them all."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that was seen, and what to do about it."""

    id: str
    """Stable, for programs: `class-refused`."""
    weight: Weight
    about: str
    """The object, as a person types it: `class nfs-client`."""
    seen: Text
    do: Text
    commands: tuple[Shell, ...] = ()
    names: tuple[str, ...] = ()
    """All objects, where there are several."""

    def as_dict(self) -> dict[str, object]:
        """For `-o json`, both languages in it."""
        return {
            "id": self.id,
            "weight": self.weight,
            "about": self.about,
            "seen": self.seen.as_dict(),
            "do": self.do.as_dict(),
            "commands": list(self.commands),
            "names": list(self.names),
        }


def by_weight(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    """The gravest first, otherwise in their order."""
    return tuple(sorted(remarks, key=lambda one: WEIGHTS.index(one.weight)))


def several(count: int, noun: str) -> str:
    """`1 volume`, `2 volumes`, `2 classes`."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


def some(names: Iterable[str]) -> Text:
    """The first few of several names, and how many there are beyond them."""
    known = tuple(names)
    more = len(known) - _NAMED
    if more <= 0:
        return Text(", ".join(known), "、".join(known))
    first = known[:_NAMED]
    return Text(f"{', '.join(first)} and {more} more", f"{'、'.join(first)} 等 {len(known)} 个")
