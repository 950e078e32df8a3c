"""What is imported is declared: nothing is there by the grace of another package. Each library has its rooms in the
house, and the contracts of import-linter leave out none of the others.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
BY_MODULE = packages_distributions()
ROOMS = {path.name for path in (ROOT / "src/berth").iterdir() if (path / "__init__.py").exists()}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


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
    declared = {_spelt(Requirement(one).name) for one in PROJECT["project"]["dependencies"]}
    needed = {module: {_spelt(one) for one in BY_MODULE[module]} for module in imported(ROOT / "src")}
    assert [module for module, packages in needed.items() if not packages & declared] == []
    assert declared <= set().union(*needed.values())


def test_a_library_is_forbidden_in_every_room_that_does_not_use_it() -> None:
    users = {room: imported(ROOT / "src/berth" / room) for room in ROOMS}
    forbidden: set[str] = set()
    for contract in PROJECT["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "forbidden" and contract["source_modules"] != ["berth.volumes"]:
            assert "ignore_imports" not in contract
            rooms = {module.removeprefix("berth.") for module in contract["source_modules"]}
            libraries = set(contract["forbidden_modules"])
            assert ROOMS - rooms == {room for room, used in users.items() if used & libraries}, contract["name"]
            forbidden |= libraries
    assert set().union(*users.values()) <= forbidden


def test_the_rules_of_volumes_know_the_standard_library_alone() -> None:
    assert imported(ROOT / "src/berth/volumes") == set()


def _spelt(name: str) -> str:
    return name.lower().replace("_", "-")
