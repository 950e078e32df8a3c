"""Long-running programs: one file for each, which says in PROGRAM all that others need to know of it.

`process/` is what they share: how one is declared (program), and how it is started and stopped (run, logs).
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from berth.programs.process.program import Program

DEFAULT = "controller"
"""What `berth run` runs when it is not told which."""


def program_names() -> list[str]:
    """All programs there are, by the names of their files; none is imported for it."""
    return sorted(module.name for module in iter_modules(__path__) if not module.ispkg)


def program(name: str) -> Program[Any]:
    """The program of that name, which is one of program_names."""
    found: Program[Any] = import_module(f"{__name__}.{name}").PROGRAM
    return found
