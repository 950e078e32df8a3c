"""Sentences of the NFS host's side, by key. They are data: texts.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from berth.texts.text import Language, Text, fill
from berth.texts.yaml_in import read_yaml


def say(key: str, **facts: object) -> Text:
    """The sentence of texts.yaml under key."""
    return fill(_texts()[key], facts)


@cache
def _texts() -> Mapping[str, Mapping[Language, str]]:
    found: dict[str, Mapping[Language, str]] = read_yaml(
        files("berth.nfsserver").joinpath("texts.yaml").read_text("utf-8")
    )
    return found
