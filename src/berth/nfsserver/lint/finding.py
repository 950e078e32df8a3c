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

    code: str
    severity: Severity
    source: str
    """The file; empty for what is only in the live table."""
    line: int
    """0 where no line is to blame."""
    path: str
    """The exported path; empty where it is about the file."""
    text: Text
    cause: Text
    fix: Text

    @property
    def where(self) -> str:
        """`file:line`, as far as there is one."""
        return f"{self.source}:{self.line}" if self.line else self.source

    def as_dict(self) -> dict[str, object]:
        """The finding for `-o json`, both languages in it."""
        texts = {"text": self.text.as_dict(), "cause": self.cause.as_dict(), "fix": self.fix.as_dict()}
        place = {"source": self.source, "line": self.line, "path": self.path}
        return {"code": self.code, "severity": self.severity, **place, **texts}


class Entry(TypedDict):
    """What the catalogue has under one key."""

    severity: Severity
    text: dict[Language, str]
    cause: dict[Language, str]
    fix: dict[Language, str]


def find(key: str, *, source: str = "", line: int = 0, path: str = "", **facts: object) -> Finding:
    """The finding of the catalogue under key (`code`, or `code.variant`), with the facts put in."""
    entry = catalogue()[key]
    known = {"source": source, "line": line, "path": path, **facts}

    code = key.partition(".")[0]
    texts = fill(entry["text"], known), fill(entry["cause"], known), fill(entry["fix"], known)
    return Finding(code, entry["severity"], source, line, path, *texts)


@cache
def catalogue() -> Mapping[str, Entry]:
    """All that lint can find, by key; read once."""
    found: dict[str, Entry] = read_yaml(files("berth.nfsserver.lint").joinpath("findings.yaml").read_text("utf-8"))
    return found
