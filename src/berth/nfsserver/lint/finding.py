"""Lint's findings: entries of findings.yaml, about a line of a file and an exported path."""

from __future__ import annotations

from berth.findings.catalogue import Catalogue
from berth.findings.entry import Facts, Value
from berth.findings.finding import Finding, Where
from berth.texts.visible import FACT

CATALOGUE = Catalogue("berth.nfsserver.lint", "findings.yaml", always=("source", "line", "path", "client"))


def find(id: str, *, source: str = "", line: int = 0, path: str = "", variant: str = "", **facts: Value) -> Finding:
    """The finding of that id and variant. source: empty for what is only live; line: 0 where none is to blame.

    CatalogueError: findings.yaml has no such entry or variant, or declares or names other facts.
    """
    known: Facts = {"source": source, "line": line, "path": path, **facts}
    return CATALOGUE.entry(id).variant(variant).finding((), known, where=Where(source, line), shown=FACT)
