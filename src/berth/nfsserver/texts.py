"""Sentences of init, by key. They are data: texts.yaml here, findings.yaml for lint."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

from berth.texts.text import Language, Text, fill


def say(key: str, **facts: object) -> Text:
    """The sentence of texts.yaml under key."""
    return fill(_texts()[key], facts)


@cache
def _texts() -> Mapping[str, Mapping[Language, str]]:
    found: dict[str, Mapping[Language, str]] = yaml.safe_load(
        files("berth.nfsserver").joinpath("texts.yaml").read_text("utf-8")
    )
    return found
