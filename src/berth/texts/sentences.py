"""Sentences of one domain by key. They are data: a YAML file beside the code that says them, each in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib.resources import files

from berth.texts.text import Language, Text, fill
from berth.texts.yaml_in import read_yaml


class Sentences:
    """The sentences of one file, read once. What tells people that something is wrong is a finding (berth.findings)."""

    def __init__(self, package: str, file: str) -> None:
        self._package = package
        self._file = file

    def say(self, key: str, /, **facts: object) -> Text:
        """The sentence under key with the facts put in. KeyError: there is none, or it names another fact."""
        return fill(self.templates[key], facts)

    @cached_property
    def templates(self) -> Mapping[str, Mapping[Language, str]]:
        """All of them as they are written, in the file's order."""
        found: dict[str, Mapping[Language, str]] = read_yaml(
            files(self._package).joinpath(self._file).read_text("utf-8")
        )
        return found
