"""Sentences of init and of the errors, by key. They are data: texts.yaml here, findings.yaml for lint."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from berth.nfsserver.exports.clients import BadClient
from berth.nfsserver.exports.options import BadOption
from berth.texts.text import Language, Text, fill
from berth.texts.yaml_in import read_yaml


def say(key: str, **facts: object) -> Text:
    """The sentence of texts.yaml under key."""
    return fill(_texts()[key], facts)


def say_client(bad: BadClient) -> Text:
    """What is wrong with a client."""
    hint = f"；请写 {bad.plain.replace(', ', '、').replace(' or ', ' 或 ')}" if bad.plain else ""
    return Text(str(bad).removeprefix("client "), f"{say(f'client.{bad.code}', client=bad.text).zh}{hint}")


def say_option(bad: BadOption) -> Text:
    """What is wrong with an export option."""
    zh = f"{bad.option!r} 的值不正确" if bad.why else f"{bad.option!r} 不是导出选项"
    return Text(str(bad), zh + (f"；是否想写 {bad.nearest!r}？" if bad.nearest else ""))


@cache
def _texts() -> Mapping[str, Mapping[Language, str]]:
    found: dict[str, Mapping[Language, str]] = read_yaml(files(__package__).joinpath("texts.yaml").read_text("utf-8"))
    return found
