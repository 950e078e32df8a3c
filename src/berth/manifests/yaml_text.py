"""Kubernetes objects as YAML for people: keys in their own order, one document each, every text that could be mistaken
for something else in quotes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from berth.texts.exact import escaped, is_seen
from berth.texts.images import how_to_get
from berth.texts.text import Language

_IMAGE = re.compile(r'(?m)^(?P<indent> *)(?P<item>- )?image: "?(?P<name>[^\s"]+)"?$')
_STR = "tag:yaml.org,2002:str"


class _Dumper(yaml.SafeDumper):
    """Lists are indented below their key, and nothing is written as a reference to something above."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    if not is_seen(text):
        return dumper.represent_scalar(_STR, text, style='"')
    if "\n" in text:
        return dumper.represent_scalar(_STR, text, style="|")
    # YAML 1.1 (PyYAML's resolver) and what Kubernetes reads differ in corners such as 1e3 and 0o17.
    read_as: str = dumper.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    is_mistakable = read_as != _STR or text[:1].isdigit() or text[:1] in "+-."
    return dumper.represent_scalar(_STR, text, style='"' if is_mistakable else None)


def _list(dumper: _Dumper, items: list[Any]) -> yaml.SequenceNode:
    is_short = all(isinstance(item, str) for item in items) and sum(map(len, items)) < 80
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=is_short)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)


def to_yaml(manifests: Iterable[Mapping[str, Any]]) -> str:
    """All of them, each behind a `---`, ready for `kubectl apply -f -`."""
    return "".join("---\n" + _document(manifest) for manifest in manifests)


def with_image_notes(text: str, language: Language = "en") -> str:
    """Manifests of Berth's, where the line below an image that no registry has says how to get it."""

    def noted(line: re.Match[str]) -> str:
        how = how_to_get(line["name"])
        indent = line["indent"] + "  " * bool(line["item"])
        return line[0] if how is None else f"{line[0]}\n{indent}# {how.said(language)}"

    return _IMAGE.sub(noted, text)


def _document(manifest: Mapping[str, Any]) -> str:
    text: str = yaml.dump(manifest, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return escaped(text)
