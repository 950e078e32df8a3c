"""Reading one setting: a flag wins over its environment variable, which wins over the default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from berth.settings.errors import SettingError

T = TypeVar("T")

# As Go's strconv.ParseBool reads them: the reference's Deployments hold these spellings.
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One thing that can be set: by `--flag`, else by its environment variable, else its default holds."""

    flag: str
    variable: str
    default: T
    parse: Callable[[str], T]
    """Raises ValueError with what was expected."""
    help: str
    """One sentence for `--help`."""
    default_text: str = ""
    """The default as one would write it; empty: nothing is set."""


@dataclass(frozen=True, slots=True)
class SettingSource:
    """Where settings come from. flags holds only those that were given, by their name without dashes in front."""

    environ: Mapping[str, str]
    flags: Mapping[str, str]

    def read(self, setting: Setting[T]) -> T:
        """The setting's value. SettingError names the flag or the variable, whichever held the text that was refused.

        An empty variable counts as not set (a Deployment can't unset one); an empty flag is what it says.
        """
        if setting.flag in self.flags:
            return self._parse(f"--{setting.flag}", self.flags[setting.flag], setting.parse)
        if self.environ.get(setting.variable, "") != "":
            return self._parse(setting.variable, self.environ[setting.variable], setting.parse)
        return setting.default

    def _parse(self, setting: str, text: str, parse: Callable[[str], T]) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise SettingError(setting, str(error)) from error


def text(value: str) -> str:
    """Any text."""
    return value


def boolean(value: str) -> bool:
    """`true` or `false`, as Go spells them."""
    if value not in _TRUE + _FALSE:
        raise ValueError(f'expected "true" or "false", got {value!r}')
    return value in _TRUE


def count(least: int, most: int) -> Callable[[str], int]:
    """A whole number within limits."""

    def parse(value: str) -> int:
        if not (value.isascii() and value.isdigit()) or not least <= int(value[:12]) <= most:
            raise ValueError(f"expected a whole number from {least} to {most}, got {value!r}")
        return int(value)

    return parse


def seconds(least: float, most: float) -> Callable[[str], float]:
    """A duration like `15s`, `500ms`, `2m`; a bare number is seconds."""

    def parse(value: str) -> float:
        unit = next((unit for unit in ("ms", "s", "m", "h") if value.endswith(unit)), "")
        try:
            amount = float(value.removesuffix(unit)) * _UNITS.get(unit, 1.0)
        except ValueError:
            amount = -1.0
        if not least <= amount <= most:
            raise ValueError(f"expected a duration from {least:g}s to {most:g}s such as 15s or 2m, got {value!r}")
        return amount

    return parse


def choice(*known: str) -> Callable[[str], str]:
    """One of a few words."""

    def parse(value: str) -> str:
        if value not in known:
            raise ValueError(f"expected one of {', '.join(known)}, got {value!r}")
        return value

    return parse


def address(value: str) -> tuple[str, int]:
    """`host:port`, `:port` (all addresses) or `[v6]:port` to listen on."""
    host, colon, port = value.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or int(port[:6]) > 65535:
        raise ValueError(f"expected host:port such as 127.0.0.1:8080, got {value!r}")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"an IPv6 address needs brackets, as in [::1]:8080; got {value!r}")
    return host or "0.0.0.0", int(port)
