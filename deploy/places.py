"""What in the chart and in KubeSphere's extension follows from home.toml, the version and the icon. All else in these
files is written by hand, and stays.
"""

from __future__ import annotations

import base64
import re
from typing import Any

import yaml

from berth import __version__
from berth.settings.home import Home

AUTHORS = "Berth authors"


def chart(text: str, home: Home, icon: bytes) -> str:
    """Chart.yaml. The icon is in it: there may be no place to get it from."""
    annotations = {"artifacthub.io/category": "storage", "artifacthub.io/license": "Apache-2.0"}
    if home.registry:
        images = [{"name": "berth", "image": home.image}]
        annotations["artifacthub.io/images"] = yaml.safe_dump(images, sort_keys=False)
    return _with(
        text,
        version=__version__,
        appVersion=__version__,
        **_origin(home),
        icon=f"data:image/svg+xml;base64,{base64.b64encode(icon).decode()}",
        annotations=annotations,
    )


def values(text: str, home: Home) -> str:
    """The chart's values.yaml: where the image is unless somebody says otherwise."""
    registry, repository = split_image(home)
    for name, value in (("registry", registry or '""'), ("repository", repository)):
        text, found = re.subn(rf"(?m)^  {name}: .*$", f"  {name}: {value}", text)
        if found != 1:
            raise ValueError(f"values.yaml has {found} lines `  {name}:`")
    return text


def template(home: Home) -> str:
    """The same for values that name another provisioner's image."""
    _, repository = split_image(home)
    return f'{{{{- define "berth.home.repository" -}}}}{repository}{{{{- end -}}}}\n'


def extension(text: str, home: Home, screenshots: list[str]) -> str:
    """extension.yaml."""
    return _with(
        text,
        version=__version__,
        **_origin(home),
        screenshots=[f"./static/screenshots/{name}" for name in screenshots],
        images=[home.image],
    )


def split_image(home: Home) -> tuple[str, str]:
    """The registry, empty where there is none, and the repository in it."""
    registry, slash, path = home.registry.partition("/")
    return registry, f"{path}{slash}berth"


def _origin(home: Home) -> dict[str, Any]:
    return {
        "home": home.downloads or home.sources or None,
        "sources": [home.sources] if home.sources else None,
        "maintainers": [{"name": AUTHORS, **({"url": home.sources} if home.sources else {})}],
    }


def _with(text: str, **fields: Any) -> str:
    """The YAML with these fields at its top; None: without it. What is new stands at the end."""
    for name, value in fields.items():
        wanted = "" if value is None else yaml.safe_dump({name: value}, sort_keys=False, width=10**6)
        there = re.search(rf"(?m)^{name}:.*\n(?:[ -].*\n)*", text)
        text = text[: there.start()] + wanted + text[there.end() :] if there else text + wanted
    return text
