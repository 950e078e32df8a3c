"""What is imported is declared: nothing is there by the grace of another package."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
BY_MODULE = packages_distributions()


def imported(folder: Path) -> set[str]:
    """The modules of others that the files below folder import, by their first name."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"berth"}


def test_all_that_berth_imports_is_declared_and_the_other_way_round() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {_spelt(Requirement(one).name) for one in project["dependencies"]}
    needed = {module: {_spelt(one) for one in BY_MODULE[module]} for module in imported(ROOT / "src")}
    assert [module for module, packages in needed.items() if not packages & declared] == []
    assert declared <= set().union(*needed.values())


def _spelt(name: str) -> str:
    return name.lower().replace("_", "-")
