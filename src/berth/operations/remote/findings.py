"""What stands in the way of work on another host: findings, whose words are findings.yaml."""

from __future__ import annotations

from berth.findings.catalogue import Catalogue
from berth.operations.errors import Stopped
from berth.texts.visible import FACT

CATALOGUE = Catalogue("berth.operations.remote", "findings.yaml", shown=FACT)

find = CATALOGUE.find


class Unreached(Stopped):
    """The host could not be looked at: nothing was begun there."""


class LostOnTheWay(Stopped):
    """The work was begun there, and what became of it is not known."""
