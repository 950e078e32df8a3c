"""The entries of one catalogue, each read once, and the findings made from them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from importlib.resources import files
from typing import Any

from berth.findings.entry import SHOWN, CatalogueEntry, CatalogueError, Value, read_entry
from berth.findings.finding import Finding, Subject
from berth.findings.versions import Version
from berth.texts.yaml_in import YamlError, read_yaml


class Catalogue:
    """Entries of one domain: a folder with a file `ID.yaml` for each, or one file with all of them by id."""

    def __init__(self, package: str, file: str = "", *, always: Collection[str] = (), shown: int = SHOWN) -> None:
        """package: whose data they are, such as `berth.doctor.catalogue`; file: the one that holds all.

        always: facts that every entry may name without declaring them. shown: characters of a fact that are shown.
        """
        self._package = package
        self._file = file
        self._always = tuple(always)
        self._shown = shown
        self._read: dict[str, CatalogueEntry] = {}

    def find(
        self,
        failure: str,
        *about: Subject,
        variant: str | Mapping[str, object] = "",
        version: Version | None = None,
        evidence: Sequence[str] = (),
        count: int = 1,
        **facts: Value | None,
    ) -> Finding:
        """The finding of the entry of that id about these objects. Facts that are None don't exist.

        variant: which of its variants it is, or of several whether they hold: see CatalogueEntry.variant.
        CatalogueError: there is no such entry or variant, its words don't fit the facts, or it does not declare one.
        """
        known = {name: value for name, value in facts.items() if value is not None}
        said = self.entry(failure).variant(variant)
        return said.finding(about, known, version=version, evidence=evidence, count=count, shown=self._shown)

    def entry(self, failure: str) -> CatalogueEntry:
        """The entry of that id. CatalogueError when there is none, or it is not as it must be."""
        found = self._read.get(failure)
        if found is None:
            found = self._read[failure] = self._load(failure)
        return found

    @cached_property
    def entries(self) -> Mapping[str, CatalogueEntry]:
        """All of them, by id, in the order of ids."""
        if self._file:
            ids = list(self._whole)
        else:
            names = (each.name for each in files(self._package).iterdir())
            ids = [name.removesuffix(".yaml") for name in names if name.endswith(".yaml")]
        return {id: self.entry(id) for id in sorted(ids)}

    @cached_property
    def _whole(self) -> Mapping[str, Any]:
        always = self._always
        return {
            id: {"id": id, **said, "facts": [*said.get("facts", ()), *always]}
            for id, said in self._parse(self._file).items()
        }

    def _parse(self, source: str) -> Any:
        try:
            return read_yaml(files(self._package).joinpath(source).read_text("utf-8"))
        except YamlError as error:
            raise CatalogueError(f"{source}: {' '.join(str(error).split())}") from error

    def _load(self, failure: str) -> CatalogueEntry:
        source = self._file or f"{failure}.yaml"
        try:
            content = self._whole[failure] if self._file else self._parse(source)
        except (OSError, KeyError) as error:
            raise CatalogueError(f"the catalogue has no failure {failure!r}") from error
        found = read_entry(source, content)
        if found.id != failure:
            raise CatalogueError(f"{source}: its id is {found.id!r}")
        return found
