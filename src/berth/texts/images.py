"""Names of images, read as nodes read them, and how an image is had that no registry has.

The grammar is that of <https://github.com/distribution/reference>: what stands before the first `/` is a registry where
it has a dot, a port or capitals, or is `localhost`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from berth.texts.text import Text

_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_NAME = re.compile(
    rf"(?P<path>{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}))?"
)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?")
_IS_HOST = re.compile(r"[^/]*[.:A-Z\[][^/]*|localhost")
_HUB, _OF_NOBODY = "docker.io", "library/"
"""What nodes put in front of a name without a registry, and without a `/`. Nobody but its keepers publishes there."""


@dataclass(frozen=True, slots=True)
class ImageName:
    """One name, with everything that nodes add to it."""

    registry: str
    path: str
    tag: str
    """Empty where a digest stands in its place."""
    digest: str

    @property
    def is_nobodys(self) -> bool:
        """Whether no registry that a node asks can have it, unless the node was told of a mirror: a name without a
        registry, or of `localhost`, which is what images are called that were only ever imported.
        """
        return self.registry == "localhost" or (self.registry == _HUB and self.path.startswith(_OF_NOBODY))

    @property
    def whole(self) -> str:
        """As a node that has it reports it."""
        which = f"@{self.digest}" if self.digest else f":{self.tag}"
        return f"{self.registry}/{self.path}{which}"


def read_image(text: str) -> ImageName:
    """ValueError: it is no name of an image, and why."""
    first, slash, rest = text.partition("/")
    has_host = bool(slash) and _IS_HOST.fullmatch(first) is not None
    match = _NAME.fullmatch(rest if has_host else text)
    if match is None or (has_host and not _HOST.fullmatch(first)):
        raise ValueError(f"{text!r} is no name of an image, such as registry.example.com/storage/berth:1.2")
    host, path, digest = first if has_host else _HUB, match["path"], match["digest"] or ""
    if host in (f"index.{_HUB}", _HUB):
        host, path = _HUB, path if "/" in path else _OF_NOBODY + path
    return ImageName(host, path, "" if digest else match["tag"] or "latest", digest)


def how_to_get(image: str) -> Text | None:
    """How an image of ours is had that no registry has; None for one that has a registry, and for what is no name."""
    try:
        name = read_image(image)
    except ValueError:
        return None
    if not name.is_nobodys:
        return None
    tag = f":{name.tag}" if name.tag else ""
    return Text(
        f"no registry has {image}: `berth image push REGISTRY/NAME` puts it into yours "
        f"(then: --image REGISTRY/NAME{tag}), or `berth image load` imports it, on each node",
        f"没有仓库提供 {image}：用 `berth image push REGISTRY/NAME` 推送到你的仓库"
        f"（然后加上 --image REGISTRY/NAME{tag}），或在每个节点上用 `berth image load` 导入",
    )


def how_to_get_for(command: str, default: str) -> Text | None:
    """The same for a command that installs Berth; None for others. default: the image where the command names none."""
    if not _INSTALLS.match(command) or "--help" in command:
        return None
    said = re.search(r" --image[= ](\S+)", command)
    return how_to_get(said[1] if said else default)


_INSTALLS = re.compile(r"berth (?:install|takeover apply)\b")
