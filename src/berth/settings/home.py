"""Where Berth is published: deploy/home.toml, of which home.toml beside this file is the copy that is installed."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields
from importlib.resources import files

from berth import __version__

_PAGE = re.compile(r"https://[^/\s]+(?:/\S*)?")
_PLACES = {
    # A first part without a dot or a port is no registry: nodes would look for it at their default one.
    "registry": re.compile(r"[a-z0-9-]+(?:(?:\.[a-z0-9-]+)+(?::\d+)?|:\d+)(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"),
    "charts": re.compile(rf"oci://[^/\s]+(?:/\S*)?|{_PAGE.pattern}"),
    "downloads": _PAGE,
    "sources": _PAGE,
}


class WrongHome(Exception):  # noqa: N818 - says what is wrong
    """The file is not as it must be: a mistake of whoever publishes."""


@dataclass(frozen=True, slots=True)
class Home:
    """The places; each is empty where there is none."""

    registry: str = ""
    """Where the image `berth` is: a registry, with a path in it or without."""
    charts: str = ""
    """The chart's repository: `oci://…` or `https://…`."""
    downloads: str = ""
    """The page with commands and packages."""
    sources: str = ""

    @property
    def image(self) -> str:
        """The image of this version. Without a registry it is a name that nodes know only once it was put on them."""
        return f"{self.registry}/berth:{__version__}" if self.registry else f"berth:{__version__}"


def read_home(text: str) -> Home:
    """WrongHome names what is no setting, or can't be such a place."""
    said = tomllib.loads(text)
    places = {one.name: _PLACES[one.name] for one in fields(Home)}
    if unknown := said.keys() - places.keys():
        raise WrongHome(f"home.toml knows no {', '.join(sorted(unknown))}; it knows {', '.join(places)}")
    for name, value in said.items():
        if not isinstance(value, str) or (value and not places[name].fullmatch(value)):
            raise WrongHome(f"home.toml: {name} is {value!r}, which is no such place")
    return Home(**said)


HOME = read_home(files(__package__).joinpath("home.toml").read_text("utf-8"))
