"""A host as `--on` names it: `root@nas1`, a Host of ssh's own configuration, or `ssh://root@nas1:2222`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from berth.texts.text import Text

_SCHEME = "ssh://"
_USER = r"(?:(?P<user>[^@\s/:]+)@)?"
_HOST = r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^@\s/\[\]-][^@\s/\[\]]*)"
_PLAIN = re.compile(rf"{_USER}{_HOST}")
_URL = re.compile(rf"{_SCHEME}{_USER}(?P<host>\[[0-9A-Fa-f:.%]+\]|[^@\s/:\[\]-][^@\s/:\[\]]*)(?::(?P<port>\d+))?/?")
_WITH_PORT = re.compile(r"(?:[^@\s/:]+@)?[^@\s/:]+:\d+")


class BadHost(ValueError):  # noqa: N818 - says what is wrong
    """What was given names no host. text: why not."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


@dataclass(frozen=True, slots=True)
class Target:
    """A host to work on. word: as ssh takes it."""

    word: str
    host: str
    user: str = ""

    def __str__(self) -> str:
        return self.word.removeprefix(_SCHEME).rstrip("/")


def parse_target(given: str) -> Target:
    """The host that is meant. BadHost, with the form that it should have."""
    found = (_URL if given.startswith(_SCHEME) else _PLAIN).fullmatch(given)
    if found is None or given.startswith("-") or not given.isprintable():
        raise BadHost(
            Text(
                f"{given!r} is no host; write it as root@nas1.example.com, or ssh://root@nas1.example.com:2222",
                f"{given!r} 不是主机；请写成 root@nas1.example.com 或 ssh://root@nas1.example.com:2222",
            )
        )
    if _WITH_PORT.fullmatch(given):
        raise BadHost(
            Text(
                f"{given!r} has a port, which ssh takes as {_SCHEME}{given}, or with -p",
                f"{given!r} 带有端口；按 ssh 的写法应为 {_SCHEME}{given}，或用 -p 给出端口",
            )
        )
    host = found["host"].strip("[]")
    word = given if given.startswith(_SCHEME) else f"{found['user']}@{host}" if found["user"] else host
    return Target(word, host, found["user"] or "")
