"""Where a registry keeps an image: `registry.example.com:5000/storage/berth`, and the tag behind it; the grammar is
that of berth.texts.images.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from berth.images.errors import BadReference
from berth.images.texts import say
from berth.texts.images import read_image

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://")
_LONGEST = 255
"""Characters of a name: what the first registries took, and all still do."""
_HUB, _HUBS_API = ("docker.io", "index.docker.io"), "registry-1.docker.io"
"""One registry answers at another name than its images have."""


@dataclass(frozen=True, slots=True)
class Repository:
    """One name in one registry."""

    registry: str
    """As people write it: a host, and a port where it is not that of HTTPS."""
    name: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.name}"

    @property
    def api(self) -> str:
        """Host and port that answer for it."""
        return _HUBS_API if self.registry in _HUB else self.registry

    @property
    def is_hub(self) -> bool:
        """The one registry that login files know under an older name."""
        return self.registry in _HUB

    def beside(self, name: str) -> Repository:
        """The name that is this one's with a word behind it: every registry takes it that takes this one."""
        return Repository(self.registry, f"{self.name}-{name}")


def parse(text: str) -> tuple[Repository, str]:
    """The place, and the tag (empty where none is said). BadReference, with what is wrong with it."""
    if scheme := _SCHEME.match(text):
        raise BadReference(say("reference.scheme", said=text, scheme=scheme[0]))
    if "@" in text:
        raise BadReference(say("reference.digest", said=text))
    registry, slash, rest = text.partition("/")
    if not slash or not (registry == "localhost" or "." in registry or ":" in registry):
        raise BadReference(say("reference.registry", said=text))
    name, colon, tag = rest.partition(":")
    if not name:
        raise BadReference(say("reference.name-missing", said=text))
    if colon:
        check_tag(tag)
    try:
        read = read_image(f"{registry}/{name}")
    except ValueError:
        try:
            read_image(f"{registry}/berth")
        except ValueError:
            raise BadReference(say("reference.registry", said=text)) from None
        raise BadReference(say("reference.name", name=name)) from None
    if len(read.path) > _LONGEST:
        raise BadReference(say("reference.name", name=name))
    return Repository(registry, read.path), tag


def check_tag(tag: str) -> str:
    """The tag. BadReference if it is none."""
    if not _TAG.fullmatch(tag):
        raise BadReference(say("reference.tag", tag=tag))
    return tag
