"""What becomes of old classes: where Berth reads a parameter otherwise than the reference did, or refuses it.

The reference knows pathPattern, onDelete (delete, retain) and archiveOnDelete; it ignores whatever else a class says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from berth.findings.finding import Finding, Subject
from berth.operations.takeover.findings import find
from berth.operations.takeover.inventory import Group
from berth.operations.takeover.volumes import pvs
from berth.texts.text import joined
from berth.volumes.errors import Refused
from berth.volumes.mount_options.judge import judge_options
from berth.volumes.parameters import KNOWN, Parameters, mountable_address, parse_parameters
from berth.volumes.server_name import on_server

_OF_REFERENCE = ("pathPattern", "onDelete", "archiveOnDelete")
_HARMLESS = ("stepSize",)


def judge_classes(group: Group) -> Iterator[Finding]:
    """All that changes, or won't work, in the classes of one group."""
    for one in group.classes:
        parameters, about = one.parameters or {}, Subject("class", one.name)
        try:
            parsed = parse_parameters(parameters, server=group.share.server, export=group.share.export)
            mountable_address(parsed.server, parsed.export, tuple(one.mountOptions or ()))
        except Refused as refusal:
            is_ignored = refusal.parameter in parameters and refusal.parameter not in _OF_REFERENCE
            yield find(
                "class-refused",
                about,
                variant={"ignored": is_ignored},
                refusal=refusal.text,
                volumes=pvs([each for each in group.volumes if each.class_name == one.name]),
            )
            continue
        yield from _read_otherwise(about, parameters, parsed, group)
        faults = judge_options(tuple(one.mountOptions or ()), server=parsed.server)
        if faults:
            yield find("class-options", about, reason=joined(fault.said for fault in faults))
        if _is_for_several(parsed):
            yield find("class-not-unique", about, pattern=parsed.pattern.text)


def _read_otherwise(
    about: Subject, parameters: Mapping[str, str], parsed: Parameters, group: Group
) -> Iterator[Finding]:
    if (parsed.server.lower(), parsed.export) != (group.share.server.lower(), group.share.export):
        yield find("class-elsewhere", about, there=on_server(parsed.server, parsed.export), here=str(group.share))
    others = {key: value for key, value in parameters.items() if key in KNOWN and key not in _OF_REFERENCE}
    heeded = [f"{key}={value}" for key, value in others.items() if key not in ("server", "share", *_HARMLESS)]
    if heeded:
        yield find("class-heeded", about, parameters=heeded)
    if parameters.get("onDelete") == "archive" and not _archives(parameters):
        yield find("class-archives", about)


def _archives(parameters: Mapping[str, str]) -> bool:
    return parse_parameters({"archiveOnDelete": parameters.get("archiveOnDelete", "true")}).on_delete == "archive"


def _is_for_several(parsed: Parameters) -> bool:
    """Whether two claims may get one directory by this pattern."""
    sources = {piece.source for piece in parsed.pattern.pieces}
    return parsed.sharing == "deny" and "pv" not in sources and not {"namespace", "name"} <= sources
