"""The innocent templates with names and numbers put in: many distinct lines, the same ones each time."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

TEMPLATES = Path(__file__).parent / "innocent" / "templates.txt"
EACH = 50
"""Lines of each template."""
_NAMES = (
    "web",
    "api",
    "cart",
    "orders",
    "billing",
    "search",
    "cache",
    "frontend",
    "data",
    "logs",
    "mail",
    "shop",
    "app",
)
_SLOT = re.compile(r"\{([a-z0-9]+)\}")


def programs() -> Iterator[tuple[str, list[str]]]:
    """Each program, and its lines in an order that is no order."""
    for part in TEMPLATES.read_text("utf-8").split("@@ ")[1:]:
        head, *templates = part.rstrip("\n").split("\n")
        program = head.partition(" | ")[0]
        chance = random.Random(program)  # lines, no secrets
        lines = [line for template in templates for line in _lines(template, chance)]
        chance.shuffle(lines)
        yield program, lines


def _lines(template: str, chance: random.Random) -> list[str]:
    slots = _slots(chance)
    made = dict.fromkeys(
        _SLOT.sub(lambda found: slots[found[1]]() if found[1] in slots else found[0], template) for _ in range(EACH)
    )
    return list(made)


def _slots(chance: random.Random) -> dict[str, Callable[[], str]]:
    def number(least: int, most: int) -> str:
        return str(chance.randint(least, most))

    def digits(count: int, of: str = "0123456789abcdef") -> str:
        return "".join(chance.choice(of) for _ in range(count))

    def clock() -> str:
        return f"{chance.randint(0, 23):02}:{chance.randint(0, 59):02}:{chance.randint(0, 59):02}"

    def uuid() -> str:
        return "-".join(digits(count) for count in (8, 4, 4, 4, 12))

    def day() -> str:
        return f"{chance.randint(1, 28):02}"

    return {
        "i": lambda: number(10, 99999),
        "d": lambda: number(1, 9),
        "l": lambda: chance.choice("abcdef"),
        "six": lambda: digits(6, "0123456789"),
        "id": lambda: digits(12),
        "uuid": uuid,
        "pvc": lambda: f"pvc-{uuid()}",
        "ip": lambda: ".".join(("10", *(number(0, 255) for _ in range(3)))),
        "name": lambda: f"{chance.choice(_NAMES)}{number(0, 99)}",
        "ns": lambda: chance.choice(_NAMES),
        "pod": lambda: f"{chance.choice(_NAMES)}-{digits(10)}-{digits(5)}",
        "iso": lambda: f"2026-11-{day()}T{clock()}.{digits(3, '0123456789')}Z",
        "slash": lambda: f"2026/11/{day()} {clock()}",
        "sys": lambda: f"Nov {day()} {clock()} node{number(1, 9)}",
        "sysday": lambda: f"{day()} Nov 2026 {clock()}.{digits(3, '0123456789')}",
        "klog": lambda: f"E11{day()} {clock()}.{digits(6, '0123456789')}       1",
    }
