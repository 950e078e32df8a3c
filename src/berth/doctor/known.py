"""All failures that the doctor knows; their entries are in berth/doctor/catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from berth.findings.catalogue import Catalogue
from berth.findings.entry import CatalogueEntry

CATALOGUE = Catalogue("berth.doctor.catalogue")
find = CATALOGUE.find
entry = CATALOGUE.entry


def entries() -> Mapping[str, CatalogueEntry]:
    """The whole catalogue, by id, in the order of ids."""
    return CATALOGUE.entries
