"""The table of live exports (etab), how exportfs prints it, and how it compares with the files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from berth.nfsserver.exports.clients import EVERYBODY
from berth.nfsserver.exports.flags import DEFAULTS, NOBODY, VARYING, Flag
from berth.nfsserver.exports.lexer import encode
from berth.nfsserver.exports.options import Options
from berth.nfsserver.exports.parse import Export, parse_exports

State = Literal["live", "not live", "differs", "only live"]
"""Of one export: live as its file says; in a file only; live with other options than its file says; in no file."""


def parse_table(content: bytes, source: str = "", varying: Flag = VARYING) -> tuple[Export, ...]:
    """The exports in an etab. It is written by exportfs, in the format of an exports file."""
    # `/a` and `/a *` are two lines in there, and one export.
    return first_wins(parse_exports(content, source, varying).exports)


def first_wins(exports: Iterable[Export]) -> tuple[Export, ...]:
    """The exports that count: of those with equal path and client the first, as exportfs decides."""
    seen: dict[tuple[str, str], Export] = {}
    for export in exports:
        seen.setdefault(_key(export), export)
    return tuple(seen.values())


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One export, as the files have it and as it is live."""

    state: State
    path: str
    client: str
    wanted: Options | None
    """What the file says; None when no file has it."""
    live: Options | None
    """What is live; None when it is not."""
    source: str
    """The file that has it, empty when none does."""
    line: int


def compare(wanted: Sequence[Export], live: Sequence[Export], varying: Flag = VARYING) -> tuple[ExportRow, ...]:
    """Every export of the files and of the live table once, in the order of the files, those only live at the end.

    wanted: paths and clients as the table spells them (see spelling.spell).
    """
    files = first_wins(wanted)
    table = {_key(export): export for export in live}
    rows = []
    for export in files:
        found = table.pop(_key(export), None)
        state: State = "not live"
        if found:
            same = found.options.canonical(varying) == export.options.canonical(varying)
            state = "live" if same else "differs"
        options = found.options if found else None
        rows.append(ExportRow(state, export.path, export.client, export.options, options, export.source, export.line))
    rows += [ExportRow("only live", each.path, each.client, None, each.options, "", 0) for each in table.values()]
    return tuple(rows)


def _key(export: Export) -> tuple[str, str]:
    return export.path, export.client.lower()


_SHOWN = (
    (Flag.CROSSMNT, "crossmnt"),
    (Flag.NO_SUBTREE_CHECK, "no_subtree_check"),
    (Flag.NO_AUTH_NLM, "insecure_locks"),
    (Flag.NO_READDIRPLUS, "nordirplus"),
    (Flag.SECURITY_LABEL, "security_label"),
    (Flag.NO_ACL, "no_acl"),
    (Flag.PNFS, "pnfs"),
)
_PER_FLAVOUR = (
    (Flag.READ_ONLY, "ro", "rw"),
    (Flag.INSECURE, "insecure", "secure"),
    (Flag.ROOT_SQUASH, "root_squash", "no_root_squash"),
    (Flag.ALL_SQUASH, "all_squash", "no_all_squash"),
)


def report(options: Options, varying: Flag = VARYING) -> str:
    """The options in the words, and in the order, of `exportfs -v`."""
    options = options.canonical(varying)
    flags = options.flags
    words = [
        "async" if flags & Flag.ASYNC else "sync",
        "wdelay" if flags & Flag.WDELAY else "no_wdelay",
        "nohide" if flags & Flag.NOHIDE else "hide",
        *(word for flag, word in _SHOWN if flags & flag),
        *([] if options.fsid is None else [f"fsid={options.fsid}"]),
        *([] if options.uuid is None else [f"fsid={options.uuid}"]),
    ]
    if options.mountpoint is not None:
        words.append(f"mountpoint={options.mountpoint}" if options.mountpoint else "mountpoint")
    words += [f"{name}={number}" for name, number in _identities(options)]
    words += [f"{name}={value}" for name, value in _places(options)]
    return ",".join([*words, *_per_flavour(options, varying)])


def show(export: Export, varying: Flag = VARYING) -> str:
    """One export as `exportfs -v` prints it."""
    client = "<world>" if export.client == EVERYBODY else export.client
    room = 14 - len(encode(export.path))
    gap = "\n\t\t" if room < 0 else " " * room + "\t"
    return f"{export.path}{gap}{client}({report(export.options, varying)})"


def brief(options: Options) -> str:
    """The options that differ from the defaults, and always ro or rw and the squashing: for people."""
    words = report(options, VARYING | Flag.INSECURE).split(",")
    usual = set(report(Options(flags=DEFAULTS)).split(",")) | {"sec=sys", "secure", "no_all_squash"}
    always = {"ro", "rw", "root_squash", "no_root_squash"}
    return ",".join(word for word in words if word in always or word not in usual)


def _identities(options: Options) -> list[tuple[str, int]]:
    both = (("anonuid", options.anonuid), ("anongid", options.anongid))
    return [(name, number) for name, number in both if number != NOBODY]


def _places(options: Options) -> list[tuple[str, str]]:
    both = (("refer", options.refer), ("replicas", options.replicas))
    return [(name, value) for name, value in both if value is not None]


def _per_flavour(options: Options, varying: Flag) -> list[str]:
    words: list[str] = []
    flavours = options.flavours
    at = 0
    while at < len(flavours):
        same = at + 1
        while same < len(flavours) and flavours[same].flags == flavours[at].flags:
            same += 1
        words.append("sec=" + ":".join(each.flavour for each in flavours[at:same]))
        words += [on if flavours[at].flags & flag else off for flag, on, off in _PER_FLAVOUR if varying & flag]
        at = same
    return words
