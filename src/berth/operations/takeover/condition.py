"""What one should know of an old provisioner's share, from what was seen on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from berth.findings.finding import Finding, Subject
from berth.operations.takeover.findings import find
from berth.operations.takeover.inventory import Group
from berth.operations.takeover.share import SeenShare
from berth.operations.takeover.volumes import pvs, subjects_of
from berth.texts.counting import counted, some
from berth.texts.text import Text


def judge_share(group: Group, seen: SeenShare) -> Iterator[Finding]:
    """What one should know of a share."""
    share = Subject("share", str(group.share))
    if seen.why:
        yield find("share-unreachable", share, reason=seen.why)
        return
    if seen.missing:
        named = some(f"{one.absolute_path} ({one.claim})" for one in seen.missing)
        yield find("directory-missing", share, *subjects_of(seen.missing), volumes=pvs(seen.missing), named=named)
    if seen.odd:
        named = some(f"{one.pv} ({why})" for one, why in seen.odd)
        yield find("directory-odd", share, *subjects_of(one for one, _ in seen.odd), named=named)
    if seen.leaked:
        yield find(
            "leaked",
            share,
            *_subjects(seen.leaked),
            variant={"partly": seen.is_partly},
            directories=_directories(seen.leaked),
            named=some(seen.leaked),
        )
    if seen.kept:
        yield find("kept", share, *_subjects(seen.kept), directories=_directories(seen.kept), named=some(seen.kept))
    if seen.archives:
        archives = counted(len(seen.archives), "archive", "个归档目录")
        yield find("archives", share, *_subjects(seen.archives), archives=archives)


def _subjects(directories: Iterable[str]) -> tuple[Subject, ...]:
    return tuple(Subject("directory", path) for path in directories)


def _directories(paths: tuple[str, ...]) -> Text:
    return counted(len(paths), "directory", "个目录")
