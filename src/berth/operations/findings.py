"""What stands in the way of installing and of work on single volumes: findings, whose words are findings.yaml."""

from __future__ import annotations

from berth.findings.catalogue import Catalogue
from berth.texts.visible import FACT

CATALOGUE = Catalogue("berth.operations", "findings.yaml", shown=FACT)

find = CATALOGUE.find
