"""A name of a class stands for one thing, wherever it is read."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

HOUSE = Path(__file__).parents[2] / "src" / "berth"


def test_no_two_classes_have_one_name() -> None:
    trees = (ast.parse(path.read_text()) for path in HOUSE.rglob("*.py"))
    names = Counter(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    assert [name for name, times in names.items() if times > 1] == []
