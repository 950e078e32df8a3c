"""Mount options as they are written, and in the order in which they count."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from berth.texts.bounded import bounded
from berth.texts.text import Text

Weight = Literal["refused", "risky", "idle"]
"""No node can mount with it; it works and may do harm; it does nothing."""

VERSIONS = ("3", "4", "4.0", "4.1", "4.2")

VERSION_KEYS = ("nfsvers", "vers")
VERSION_FLAGS = ("v2", "v3", "v4", "v4.0", "v4.1", "v4.2")
_OF_MOUNTD = ("mounthost", "mountaddr", "mountvers", "mountproto")
"""Without a version, mount.nfs takes these for a wish for NFSv3 (nfs_set_version of stropts.c)."""


@dataclass(frozen=True, slots=True)
class Option:
    """One mount option: `key`, or `key=value`. text: as it is written, with blanks around it."""

    text: str
    key: str
    value: str | None


@dataclass(frozen=True, slots=True)
class OptionFault:
    """What is wrong with one option, or with several together.

    instead: what to write in its place, empty to leave it out, None where that is not known. finding: the id of the
    doctor's own failure that explains it, if there is one.
    """

    option: str
    weight: Weight
    said: Text
    instead: str | None = None
    finding: str = ""


def as_mounted(mount_options: Iterable[str]) -> tuple[Option, ...]:
    """The options one by one, in the order in which a kubelet hands them to mount: it sorts the entries of the list
    (JoinMountOptions of Kubernetes' pkg/volume/util), each of which may hold several.
    """
    return tuple(_option(text) for entry in sorted(set(mount_options)) for text in entry.split(",") if text.strip())


def version_of(mount_options: Iterable[str]) -> str:
    """The NFS version that the options ask for, as it is written; empty: what the server offers."""
    options = as_mounted(mount_options)
    for option in options:
        if option.key in VERSION_KEYS:
            return option.value or ""
        if option.key in VERSION_FLAGS and option.value is None:
            return option.key[1:]
    return "3" if any(option.key in _OF_MOUNTD for option in options) else ""


def _option(text: str) -> Option:
    key, equals, value = text.strip().partition("=")
    return Option(text, key, value if equals else None)


def shown(text: str) -> str:
    """An option in a sentence."""
    return f"`{bounded(text, 100)}`"


def behind(it: str, said: Text) -> Text:
    """What is said of an option, behind it."""
    return Text(f"{it}: {said.en}", f"{it}：{said.zh}")
