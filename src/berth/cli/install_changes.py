"""What `berth install` changes in an installation that runs, from the old value to the new, in narrow lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from rich.cells import cell_len

from berth import __version__
from berth.cli.output import say
from berth.operations.asked import Asked
from berth.operations.changes import FieldChange
from berth.operations.install_plan import InstallPlan
from berth.texts.text import Language, Text

WIDTH = 60


def print_changes(plan: InstallPlan, asked: Asked, lang: Language) -> None:
    """The changes, below the object that they are made to; nothing where there are none."""
    for about, changes in groupby(plan.changes, key=lambda change: change.object):
        if about:
            say(about)
        for change in changes:
            for line in lines_of(change, lang):
                say(line)
    if not plan.is_new and "image" not in asked.settings:
        _tell_older_image(plan.settings.image, lang)


def lines_of(change: FieldChange, lang: Language) -> Iterator[str]:
    """`field: old -> new`, or below each other where that is too wide."""
    if not change.field:
        yield "  " + Text("is removed", "将被删除").said(lang)
        return
    indent = "  " if change.object else ""
    line = f"{indent}{change.field}: {change.old} -> {change.new}"
    if cell_len(line) <= WIDTH:
        yield line
        return
    yield f"{indent}{change.field}:"
    yield f"{indent}  - {change.old}"
    yield f"{indent}  + {change.new}"


def _tell_older_image(image: str, lang: Language) -> None:
    """Another version's image stays, since nobody asked for a new one: worth a line."""
    tag = re.search(r":v?(\d+\.\d+\.\d+[^:/@]*)(@|$)", image)
    if tag is not None and tag[1] != __version__:
        text = Text(
            f"the image stays {image}; this is berth {__version__}: change it with --image",
            f"镜像仍是 {image}，而本程序是 berth {__version__}：要更换请用 --image",
        )
        say(text.said(lang))
