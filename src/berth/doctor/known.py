"""All failures that the catalogue knows, read once, and the findings made from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

import yaml

from berth.doctor.entry import CatalogueError, Entry, Value, read_entry
from berth.doctor.finding import Finding, Subject
from berth.doctor.versions import Version
from berth.texts.yaml_in import read_yaml


def find(
    failure: str,
    *about: Subject,
    version: Version | None = None,
    evidence: Sequence[str] = (),
    count: int = 1,
    **facts: Value | None,
) -> Finding:
    """The finding of the catalogue's failure about these objects; see berth.doctor. Facts that are None don't exist."""
    known = {name: value for name, value in facts.items() if value is not None}
    return entry(failure).finding(about, known, version=version, evidence=evidence, count=count)


def entry(failure: str) -> Entry:
    """The catalogue's entry of that id. CatalogueError when there is none."""
    return _read(failure)


@cache
def entries() -> Mapping[str, Entry]:
    """The whole catalogue, by id, in the order of ids."""
    names = sorted(each.name for each in files("berth.doctor.catalogue").iterdir() if each.name.endswith(".yaml"))
    return {name.removesuffix(".yaml"): _read(name.removesuffix(".yaml")) for name in names}


@cache
def _read(failure: str) -> Entry:
    source = files("berth.doctor.catalogue").joinpath(f"{failure}.yaml")
    try:
        content = read_yaml(source.read_text("utf-8"))
    except OSError as error:
        raise CatalogueError(f"the catalogue has no failure {failure!r}") from error
    except yaml.YAMLError as error:
        raise CatalogueError(f"{failure}.yaml: {' '.join(str(error).split())}") from error
    found = read_entry(f"{failure}.yaml", content)
    if found.id != failure:
        raise CatalogueError(f"{failure}.yaml: its id is {found.id!r}")
    return found
