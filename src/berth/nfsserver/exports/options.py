"""Export options: from the words between the parentheses to what is in effect, as exportfs understands them.

The rules are nfs-utils' (support/nfs/exports.c): options apply from left to right; after `sec=` they apply to those
flavours, too; defaults are ro, sync, wdelay, hide, secure, root_squash, no_subtree_check, anonuid and anongid 65534.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from berth.nfsserver.exports.flags import DEFAULTS, FLAVOURS, NEWER, NOBODY, OBSOLETE, SWITCHES, VALUED, VARYING, Flag
from berth.texts.text import Text


class BadOption(Exception):  # noqa: N818 - says what it is about
    """An option that exportfs refuses. option: as written; nearest: a known one that may be meant; why: for a value;
    since: the release of nfs-utils that brought it, where the one at hand is older.
    """

    def __init__(self, option: str, *, why: str = "", nearest: str = "", since: str = "") -> None:
        hint = f"; did you mean {nearest!r}?" if nearest else ""
        super().__init__(f"{option!r} is {why or 'not an export option'}{hint}")
        self.option = option
        self.nearest = nearest
        self.why = why
        self.since = since

    @property
    def said(self) -> Text:
        """What is wrong with it, in both languages."""
        zh = f"{self.option!r} 的值不正确" if self.why else f"{self.option!r} 不是导出选项"
        return Text(str(self), zh + (f"；是否想写 {self.nearest!r}？" if self.nearest else ""))


@dataclass(frozen=True, slots=True)
class Security:
    """One security flavour of an export, and the flags in effect for it."""

    flavour: str
    flags: Flag


@dataclass(frozen=True, slots=True)
class Options:
    """What is in effect for one client of one path."""

    flags: Flag = DEFAULTS
    anonuid: int = NOBODY
    anongid: int = NOBODY
    fsid: int | None = None
    """A small number; 0 is the root of the NFSv4 tree. As a signed 32-bit number, as exportfs reports it."""
    uuid: str | None = None
    """fsid= with a UUID, as written."""
    mountpoint: str | None = None
    """The directory that must be a mount point; empty: the export itself."""
    refer: str | None = None
    replicas: str | None = None
    security: tuple[Security, ...] = ()
    """Empty: sys, with flags."""
    newer: tuple[str, ...] = field(default=(), compare=False)
    """Options of newer nfs-utils, as written. Older ones don't report them, so they are no difference."""

    def has(self, flag: Flag) -> bool:
        """Is the flag set, for any flavour."""
        return any(each.flags & flag for each in self.flavours)

    def lacks(self, flag: Flag) -> bool:
        """Is the flag clear, for any flavour."""
        return any(not each.flags & flag for each in self.flavours)

    @property
    def flavours(self) -> tuple[Security, ...]:
        """The flavours that a client may use, never empty."""
        return self.security or (Security("sys", self.flags),)

    @property
    def untold(self) -> tuple[Security, ...]:
        """The flavours with which a client needs no ticket: nobody proves who its users are."""
        return tuple(each for each in self.flavours if not each.flavour.startswith("krb5"))

    @property
    def of_sys(self) -> tuple[Security, ...]:
        """The flavour with which Berth comes, AUTH_SYS, and nodes without Kerberos; empty where it is not let in."""
        return tuple(each for each in self.flavours if each.flavour == "sys")

    def canonical(self, varying: Flag = VARYING) -> Options:
        """The same, so that two of them are equal exactly when exportfs reports them alike."""
        security = tuple(Security(each.flavour, each.flags & varying) for each in self.flavours)
        return replace(self, flags=self.flags & ~varying, security=security)

    @property
    def has_fsid(self) -> bool:
        """Is the file system identified here, by number or UUID."""
        return self.uuid is not None or self.fsid is not None

    @property
    def is_root(self) -> bool:
        """Is this the root of the NFSv4 tree."""
        return self.fsid == 0


def split(text: str) -> tuple[str, ...]:
    """The options of a list as exportfs takes them apart: at commas, blanks after a comma skipped."""
    if not text.strip(" \t"):
        return ()
    parts = [part.lstrip(" \t") for part in text.split(",")]
    # A comma at the end is allowed, one in the middle with nothing after it is not.
    return tuple(parts[:-1] if len(parts) > 1 and not parts[-1] else parts)


def parse(
    words: Sequence[str], start: Options | None = None, varying: Flag = VARYING, unknown: Container[str] = ()
) -> Options:
    """What words make of start (the defaults in effect before them). BadOption for the first that exportfs refuses.

    unknown: options of newer releases that the exportfs in question does not know.
    """
    options = start or Options()
    if not words:
        return options
    active: frozenset[str] = frozenset()
    for word in words:
        name, equals, value = word.partition("=")
        if name in unknown:
            raise BadOption(word, since=NEWER[name])
        if not equals and word in SWITCHES:
            options = _switch(options, active, *SWITCHES[word])
        elif name == "sec" and equals:
            options, active = _secure(options, word, value)
        elif name in VALUED or name in OBSOLETE:
            options = _assign(options, word, name, value if equals else None, active)
        else:
            raise BadOption(word, nearest=nearest(word))
    fixed = options.flags & ~varying
    return replace(options, security=tuple(replace(each, flags=each.flags | fixed) for each in options.security))


def nearest(word: str) -> str:
    """The known option that word may be meant for, or nothing."""
    name, equals, value = word.partition("=")
    known = [*SWITCHES, *VALUED]
    # What people bring along from /etc/fstab and from other servers' export files.
    foreign = {"no_squash": "no_root_squash", "norootsquash": "no_root_squash", "nosubtreecheck": "no_subtree_check"}
    close = get_close_matches(name.lower(), [*known, *foreign], n=1, cutoff=0.7)
    if not close:
        return ""
    found = foreign.get(close[0], close[0])
    return f"{found}={value}" if equals and found in VALUED else found


def _switch(options: Options, active: frozenset[str], flag: Flag, is_set: bool) -> Options:
    def turn(flags: Flag) -> Flag:
        return flags | flag if is_set else flags & ~flag

    security = tuple(
        replace(each, flags=turn(each.flags)) if each.flavour in active else each for each in options.security
    )
    return replace(options, flags=turn(options.flags), security=security)


def _secure(options: Options, word: str, value: str) -> tuple[Options, frozenset[str]]:
    security = list(options.security)
    active = set()
    for name in value.split(":"):
        if name not in FLAVOURS:
            raise BadOption(word, why=f"no list of security flavours ({', '.join(FLAVOURS)}, separated by colons)")
        same = [each.flavour for each in security if FLAVOURS[each.flavour] == FLAVOURS[name]]
        if not same:
            security.append(Security(name, options.flags))
        active.add(same[0] if same else name)
    return replace(options, security=tuple(security)), frozenset(active)


def _assign(options: Options, word: str, name: str, value: str | None, active: frozenset[str]) -> Options:
    if name in ("mountpoint", "mp"):
        return replace(options, mountpoint=value or "")
    if value is None:
        raise BadOption(word, why="an option that needs a value", nearest=f"{name}=")
    match name:
        case "anonuid":
            return replace(options, anonuid=_identity(word, value))
        case "anongid":
            return replace(options, anongid=_identity(word, value))
        case "fsid":
            return _identify(options, word, value, active)
        case "refer":
            return replace(options, refer=value, replicas=None)
        case "replicas":
            return replace(options, replicas=value, refer=None)
        case "squash_uids" | "squash_gids":
            if not re.fullmatch(r"(\d+(-\d+)?)?", value):
                raise BadOption(word, why="no range of numbers")
            return options
        case _:
            return replace(options, newer=(*options.newer, word))


def _identity(word: str, value: str) -> int:
    if not re.fullmatch(r"[ \t\n\v\f\r]*[+-]?[0-9]+", value):
        raise BadOption(word, why="not a number")
    # strtol ends at 64 bits, and the result is kept in 32.
    return _signed(max(min(int(value), 2**63 - 1), -(2**63)))


def _identify(options: Options, word: str, value: str, active: frozenset[str]) -> Options:
    number = 0 if value == "root" else _unsigned(value)
    if number is not None:
        return replace(_switch(options, active, Flag.FSID, True), fsid=number)
    if sum(char in "0123456789abcdefABCDEF" for char in value) == 32:
        # exportfs reads a number off the start of the UUID, and lets it replace one that was given before.
        spoiled = None if options.fsid is None else _leading_number(value)
        return replace(options, uuid=value, fsid=spoiled)
    raise BadOption(word, why="neither a number, `root`, nor a UUID (32 hexadecimal digits)")


_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")


def _unsigned(value: str) -> int | None:
    """A number as C's strtoul reads it with base 0, kept in 32 bits; None when anything follows it."""
    found = _NUMBER.match(value)
    return _leading_number(value) if found and found.end() == len(value) else None


def _leading_number(value: str) -> int:
    found = _NUMBER.match(value)
    if found is None:
        return 0
    sign, digits = found.groups()
    base = 16 if digits[:2] in ("0x", "0X") else 8 if digits.startswith("0") else 10
    number = int(digits, base)
    if number >= 2**64:
        return _signed(2**64 - 1)
    return _signed(-number if sign == "-" else number)


def _signed(number: int) -> int:
    number &= 0xFFFFFFFF
    return number - 2**32 if number >= 2**31 else number
