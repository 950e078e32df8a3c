"""Scripts for sed that change one field of an object as `kubectl get -o yaml` prints it: cures, ready to paste.

A script is a program (GNU sed's runs commands), so only plain words of the cluster get into one; where something else
would have to, there is none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.=,:/-]*")
"""Means nothing to sed, in a pattern of ours or in what replaces it (dots are escaped), nor to YAML as a value."""


def set_field(path: str, value: str) -> str | None:
    """Sets a field: `provisioner` at the top, `spec.storageClassName` below spec, added there where it is missing."""
    if not _PLAIN.fullmatch(value):
        return None
    indent = "  " if path.startswith("spec.") else ""
    field = path.removeprefix("spec.")
    if not indent:
        return f"s|^{field}: .*|{field}: {value}|"
    return f"/^  {field}:/d;s|^spec:|spec:\\n  {field}: {value}|"


def drop_field(field: str) -> str:
    """Takes out a field of spec, with all that is below it."""
    return f"/^  {field}:/,/^  [a-zA-Z]/{{/^  {field}:/d;/^    /d}}"


def rename_key(old: str, new: str) -> str | None:
    """Renames a key one level below the top, such as a class's parameter."""
    if not (_PLAIN.fullmatch(old) and _PLAIN.fullmatch(new)):
        return None
    return f"s|^  {re.escape(old)}:|  {new}:|"


def set_parameter(key: str, value: str) -> str | None:
    """Gives a class's parameter, which it has, another value; a path is one that begins with a slash."""
    if not _PLAIN.fullmatch(value.lstrip("/")):
        return None
    return f"s|^  {re.escape(key)}: .*|  {key}: {value}|"


def change_options(options: Sequence[str], changes: Mapping[str, str]) -> str | None:
    """Puts others in the place of some of a class's mountOptions; empty: takes it out."""
    script = []
    for line, changed in zip(options, _changed(options, changes), strict=True):
        if changed == line:
            continue
        if not _PLAIN.fullmatch(line) or not (_PLAIN.fullmatch(changed) or not changed):
            return None
        pattern = f"^- {re.escape(line)}$".replace("/", r"\/")
        new = changed.replace("/", r"\/")
        script.append(f"s/{pattern}/- {new}/" if changed else f"/{pattern}/d")
    return ";".join(script) or None


def patch_options(options: Sequence[str], changes: Mapping[str, str]) -> str:
    """The JSON patch that does the same with a PV's mountOptions."""
    value = [line for line in _changed(options, changes) if line]
    path = "/spec/mountOptions"
    return json.dumps([{"op": "replace", "path": path, "value": value} if value else {"op": "remove", "path": path}])


def _changed(options: Sequence[str], changes: Mapping[str, str]) -> list[str]:
    """Line by line; several options may stand in one. What is written already is not written again."""
    kept = {one for line in options for one in line.split(",")} - set(changes)
    lines = []
    for line in options:
        said = []
        for one in line.split(","):
            text = changes.get(one, one)
            if one in changes and (not text or text in kept):
                continue
            kept.add(text)
            said.append(text)
        lines.append(",".join(said))
    return lines
