"""Scripts for sed that change one field of an object as `kubectl get -o yaml` prints it: cures, ready to paste.

A script is a program (GNU sed's runs commands), so only plain words of the cluster get into one; where something else
would have to, there is none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

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


def without_option(options: Sequence[str], option: str) -> str | None:
    """Takes an option out of a class's mountOptions."""
    if not all(map(_PLAIN.fullmatch, options)):
        return None
    script = []
    for line in options:
        rest = drop_option([line], option)
        if rest != [line]:
            pattern = f"^- {re.escape(line)}$".replace("/", r"\/")
            changed = "".join(rest).replace("/", r"\/")
            script.append(f"s/{pattern}/- {changed}/" if rest else f"/{pattern}/d")
    return ";".join(script)


def drop_option(options: Sequence[str], option: str) -> list[str]:
    """The mount options without one of them; several may stand in one line."""
    kept = (",".join(each for each in line.split(",") if each.strip() != option) for line in options)
    return [line for line in kept if line]


def patch_options(options: Sequence[str], option: str) -> str:
    """The JSON patch that takes an option out of a PV's mountOptions."""
    value = drop_option(options, option)
    path = "/spec/mountOptions"
    return json.dumps([{"op": "replace", "path": path, "value": value} if value else {"op": "remove", "path": path}])
