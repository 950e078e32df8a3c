"""Content for programs, as JSON or YAML: exact to the letter, and yet nothing in it that a terminal would obey or hide.

What is not seen is written as the escape that either format turns back into the very character.
"""

from __future__ import annotations

import json

import yaml

from berth.texts.visible import is_visible


def to_json(content: object, *, indent: int | None = 2) -> str:
    """Content as JSON, without a line break at the end."""
    return escaped(json.dumps(content, indent=indent, ensure_ascii=False), is_json=True)


def to_yaml(content: object) -> str:
    """Content as YAML, without a line break at the end; keys in their order."""
    text: str = yaml.dump(content, Dumper=ExactDumper, allow_unicode=True, sort_keys=False, width=10_000)
    return escaped(text).rstrip()


class ExactDumper(yaml.SafeDumper):
    """Puts every text in which something is not seen between double quotes, the one place where escapes are read.
    What it dumps has to go through `escaped`.
    """


def is_seen(text: str) -> bool:
    """Whether all of the text is seen, line by line."""
    return all(map(is_visible, text.split("\n")))


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_seen(text) else '"')


ExactDumper.add_multi_representer(str, _represent)
ExactDumper.add_representer(str, _represent)


def escaped(text: str, *, is_json: bool = False) -> str:
    """The text of a file in which what is not seen stands between double quotes only."""
    if is_seen(text):
        return text
    return "".join(char if char == "\n" or is_visible(char) else _escape(char, is_json) for char in text)


def _escape(char: str, is_json: bool) -> str:
    code = ord(char)
    if code < 0x10000:
        return f"\\u{code:04x}"
    if not is_json:
        return f"\\U{code:08x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
