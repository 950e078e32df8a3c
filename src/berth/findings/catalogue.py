"""The entries of one catalogue, each read once, and the findings made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.resources import files

import yaml

from berth.findings.entry import CatalogueError, Entry, Value, read_entry
from berth.findings.finding import Finding, Subject
from berth.findings.versions import Version
from berth.texts.yaml_in import read_yaml


class Catalogue:
    """One folder of entries: a file `ID.yaml` for each."""

    def __init__(self, package: str) -> None:
        """package: whose data the files are, such as `berth.doctor.catalogue`."""
        self._package = package
        self._read: dict[str, Entry] = {}

    def find(
        self,
        failure: str,
        *about: Subject,
        version: Version | None = None,
        evidence: Sequence[str] = (),
        count: int = 1,
        **facts: Value | None,
    ) -> Finding:
        """The finding of the entry of that id about these objects. Facts that are None don't exist. CatalogueError when
        there is no such entry, or no text of it fits the facts.
        """
        known = {name: value for name, value in facts.items() if value is not None}
        return self.entry(failure).finding(about, known, version=version, evidence=evidence, count=count)

    def entry(self, failure: str) -> Entry:
        """The entry of that id. CatalogueError when there is none, or it is not as it must be."""
        found = self._read.get(failure)
        if found is None:
            found = self._read[failure] = self._load(failure)
        return found

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """All of them, by id, in the order of ids."""
        names = sorted(each.name for each in files(self._package).iterdir() if each.name.endswith(".yaml"))
        return {name: self.entry(name) for name in (each.removesuffix(".yaml") for each in names)}

    def _load(self, failure: str) -> Entry:
        source = f"{failure}.yaml"
        try:
            content = read_yaml(files(self._package).joinpath(source).read_text("utf-8"))
        except OSError as error:
            raise CatalogueError(f"the catalogue has no failure {failure!r}") from error
        except yaml.YAMLError as error:
            raise CatalogueError(f"{source}: {' '.join(str(error).split())}") from error
        found = read_entry(source, content)
        if found.id != failure:
            raise CatalogueError(f"{source}: its id is {found.id!r}")
        return found
