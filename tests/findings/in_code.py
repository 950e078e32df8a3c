"""Where code finds what is in a catalogue: all calls of `find` in it, by the ids that they name."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType


@dataclass
class Found:
    """What the code says where it finds an entry."""

    variants: set[str] = field(default_factory=set)
    facts: set[str] = field(default_factory=set)


def found_by_code(package: ModuleType) -> Mapping[str, Found]:
    """What the modules of a package find; those of packages in it are not looked at."""
    found: dict[str, Found] = defaultdict(Found)
    for path in Path(str(package.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "find":
                given = {one.arg: one.value for one in node.keywords if one.arg is not None}
                for id in _texts_in(node.args[0]):
                    found[id].variants |= _texts_in(given.get("variant"))
                    found[id].facts |= given.keys() - {"variant"}
    return found


def _texts_in(node: ast.expr | None) -> set[str]:
    """The texts that an expression may be; of a mapping its keys."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp():
            return _texts_in(node.body) | _texts_in(node.orelse)
        case ast.Dict():
            return {text for key in node.keys for text in _texts_in(key)}
    return set()
