"""Scripts for sed that change one field of an object as `kubectl get -o yaml` prints it: cures, ready to paste."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence


def set_field(path: str, value: str) -> str:
    """Sets a field: `provisioner` at the top, `spec.storageClassName` below spec, added there where it is missing."""
    indent = "  " if path.startswith("spec.") else ""
    field = path.removeprefix("spec.")
    if not indent:
        return f"s|^{field}: .*|{field}: {value}|"
    return f"/^  {field}:/d;s|^spec:|spec:\\n  {field}: {value}|"


def drop_field(field: str) -> str:
    """Takes out a field of spec, with all that is below it."""
    return f"/^  {field}:/,/^  [a-zA-Z]/{{/^  {field}:/d;/^    /d}}"


def rename_key(old: str, new: str) -> str:
    """Renames a key one level below the top, such as a class's parameter."""
    return f"s|^  {re.escape(old)}:|  {new}:|"


def without_option(options: Sequence[str], option: str) -> str:
    """Takes an option out of a class's mountOptions."""
    script = []
    for line in options:
        rest = drop_option([line], option)
        if rest != [line]:
            pattern = f"^- {re.escape(line)}$".replace("/", r"\/")
            script.append(f"s/{pattern}/- {rest[0]}/" if rest else f"/{pattern}/d")
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
