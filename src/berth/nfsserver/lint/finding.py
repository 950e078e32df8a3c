"""What lint says: one finding is one thing wrong, in two languages. The texts are data (findings.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, TypedDict

from berth.texts.text import Language, Text, fill
from berth.texts.yaml_in import read_yaml

Severity = Literal["error", "warning", "note"]
"""error: it does not work; warning: it works, dangerously or not as it looks; note: worth knowing."""
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with an export."""

    id: str
    severity: Severity
    source: str
    """The file; empty for what is only in the live table."""
    line: int
    """0 where no line is to blame."""
    path: str
    """The exported path; empty where it is about the file."""
    seen: Text
    why: Text
    do: Text

    @property
    def where(self) -> str:
        """`file:line`, as far as there is one."""
        return f"{self.source}:{self.line}" if self.line else self.source

    def as_dict(self) -> dict[str, object]:
        """The finding for `-o json`, both languages in it, under the names that lint has always given them."""
        texts = {"text": self.seen.as_dict(), "cause": self.why.as_dict(), "fix": self.do.as_dict()}
        place = {"source": self.source, "line": self.line, "path": self.path}
        return {"code": self.id, "severity": self.severity, **place, **texts}


class Wording(TypedDict):
    """What the catalogue says under one id, in one variant."""

    severity: Severity
    facts: list[str]
    seen: dict[Language, str]
    why: dict[Language, str]
    cure: dict[Language, str]


def find(id: str, *, variant: str = "", source: str = "", line: int = 0, path: str = "", **facts: object) -> Finding:
    """The finding of the catalogue, with the facts put in.

    KeyError: there is no such finding or variant, a fact is not declared, or one that the sentences name is missing.
    """
    wording = catalogue()[id][variant]
    if undeclared := facts.keys() - {*wording["facts"], "client"}:
        raise KeyError(f"{id}: facts that findings.yaml does not declare: {sorted(undeclared)}")
    known = {"source": source, "line": line, "path": path, **facts}
    texts = fill(wording["seen"], known), fill(wording["why"], known), fill(wording["cure"], known)
    return Finding(id, wording["severity"], source, line, path, *texts)


@cache
def catalogue() -> Mapping[str, Mapping[str, Wording]]:
    """All that lint can find, by id and variant (the one of a finding without variants is ""); read once."""
    content = read_yaml(files("berth.nfsserver.lint").joinpath("findings.yaml").read_text("utf-8"))
    return {id: _variants(entry) for id, entry in content.items()}


def _variants(entry: dict[str, dict[str, dict[str, object]]]) -> dict[str, Wording]:
    variants = entry.pop("variants", {"": {}})
    return {name: Wording(**{"facts": [], **entry, **said}) for name, said in variants.items()}  # type: ignore[typeddict-item]
