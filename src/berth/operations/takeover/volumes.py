"""What is wrong with old volumes as the cluster tells it: shared or nested directories, and what nothing proves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from berth.findings.finding import Finding, Subject
from berth.objects.locations import normal
from berth.operations.takeover.findings import find
from berth.operations.takeover.inventory import Group, OldVolume, is_nested
from berth.texts.counting import counted, some
from berth.texts.text import Text


def judge_volumes(group: Group) -> Iterator[Finding]:
    """All that one should know about the volumes of one group before, and after, they are taken over."""
    at_root = [one for one in group.volumes if normal(one.absolute_path) == group.share.export]
    if at_root:
        share, claims = Subject("share", str(group.share)), some(one.claim for one in at_root)
        yield find("pv-at-root", share, *subjects_of(at_root), volumes=pvs(at_root), claims=claims)
    beside = [(one, other) for one, other in group.beside if one not in at_root]
    if beside:
        shared = [one for one, _ in beside]
        named = some(f"{one.pv} ({one.claim}) and {other}" for one, other in beside)
        yield find("pv-shared", *subjects_of(shared), volumes=pvs(shared), named=named)
    by_class = defaultdict(list)
    elsewhere, unproven = [], []
    classes = {one.name for one in group.classes}
    for one in group.volumes:
        if one in at_root:
            continue
        if one.class_name not in classes and not one.by_berth:
            by_class[one.class_name].append(one)
        elif one.plan is None and not one.is_class_refused:  # those of a refused class are told with it
            elsewhere.append(one)
        elif one.plan is not None and not one.is_proven and not one.by_berth:
            unproven.append(one)
    for name, volumes in by_class.items():
        names = [one.pv for one in volumes]
        yield find("class-gone", Subject("class", name), *subjects_of(volumes), volumes=pvs(volumes), pvs=names)
    if elsewhere:
        named = some(f"{one.pv} ({one.why})" for one in elsewhere)
        yield find("pv-elsewhere", *subjects_of(elsewhere), volumes=pvs(elsewhere), named=named)
    if unproven:
        named = some(f"{one.absolute_path} ({one.claim})" for one in unproven)
        yield find("pv-unproven", *subjects_of(unproven), volumes=pvs(unproven), named=named)
    nested = [one for one in group.volumes if is_nested(one)]
    if nested:
        yield find("pv-nested", *subjects_of(nested), volumes=counted(len(nested), "volume", "个卷"))


def subjects_of(volumes: Iterable[OldVolume]) -> tuple[Subject, ...]:
    """The PVs that a finding is about."""
    return tuple(Subject("volume", one.pv) for one in volumes)


def pvs(volumes: Sequence[OldVolume]) -> Text:
    """How many they are."""
    return counted(len(volumes), "PV", "个 PV")
