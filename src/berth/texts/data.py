"""What programs are told: plain mappings, lists and values, with keys as Kubernetes writes them (lowerCamelCase)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Set
from typing import Any

from berth.texts.text import Text


def as_data(value: object) -> Any:
    """Dataclasses become mappings of their fields, whose names are put into camel case (`was_default`: `wasDefault`).
    The keys of mappings stay as they are: labels, parameters and whatever else is data itself.
    """
    match value:
        case Text():
            return value.as_dict()
        case Mapping():
            return {str(key): as_data(each) for key, each in value.items()}
        case list() | tuple():
            return [as_data(each) for each in value]
        case Set():
            return sorted(map(as_data, value))
        case str() | int() | float() | None:
            return value
    if callable(own := getattr(value, "as_dict", None)):
        return as_data(own())
    if dataclasses.is_dataclass(value):
        return {camel(each.name): as_data(getattr(value, each.name)) for each in dataclasses.fields(value)}
    return str(value)


def camel(name: str) -> str:
    """`lost_default` is `lostDefault`."""
    first, *others = name.split("_")
    return first + "".join(each.title() for each in others)
