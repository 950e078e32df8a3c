"""The real names that stand around a message: of the claim, the pod, the share, and the version of Kubernetes.

A message seldom says all of it. What its own line says counts first, then the lines before it, the nearest first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from berth.findings.finding import KINDS
from berth.findings.pattern import TextPattern, bounded, read_pattern

Names = dict[str, str]

NAMED_KINDS = tuple(kind for kind in KINDS if kind != "directory")
"""What a message is about where it names one. A directory in it is told in the sentence: it may be any program's."""

BEFORE = 12
"""Lines before a message that may belong to it: kubelet's event about a mount has five."""

_NAME = r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?"
_SERVER = r"(?:\[[^\]\s]+\]|[^\s:\"\[\]]+)"
_AGE = r"(?:-|<unknown>|<invalid>|(?:\d+[smhdy]){1,4}(?: +\(x\d+ over \S+\))?)"
"""When an event was seen last, as kubectl prints it."""
_KIND = "Pod|PersistentVolumeClaim|PersistentVolume"
_ANY_KIND = f"{_KIND}|{_KIND.lower()}"
_EVENT = rf"(?:Warning|Normal) +\w+ +(?P<event_kind>\w+)/(?P<event_name>{_NAME})"
_REASONS = {
    "claim": "ProvisioningFailed|ProvisioningCleanupFailed|ExternalProvisioning|Provisioning|WaitForFirstConsumer"
    "|VolumeResizeFailed|ExternalExpanding|ClaimLost|ClaimMisbound",
    "pod": "FailedMount|FailedAttachVolume|FailedScheduling|FailedMapVolume|FailedCreatePodSandBox|BackOff|Unhealthy",
}
"""Reasons of events that tell what kind of object they are about, where no column does."""
_OF_REASON = "|".join(_REASONS.values())
_COLUMNS = rf"(?:(?:{_AGE}|\d{{4}}-\d\d-\d\dT[\d:.+Z-]+|Warning|Normal) {{2,}}){{0,4}}"
"""Columns of events that name no object."""
_OWNER = rf"(?P<event_namespace>(?!{_AGE} ){_NAME})"
"""A namespace in a column; what looks like an age is one."""
_CLUES = tuple(
    re.compile(bounded(source))
    for source in (
        rf'(?:claim|provision|delete|Claim|PVC|key)[ =:]*"(?P<claim>{_NAME}/{_NAME})"',
        rf'(?:class|StorageClass)[ =:]*"(?P<class>{_NAME})"',
        rf'object="(?P<event_namespace>{_NAME})/(?P<event_name>{_NAME})"(?: fieldPath="")? kind="(?P<event_kind>\w+)"',
        rf'pod="(?P<pod>{_NAME}/{_NAME})"',
        rf'for pod "(?P<pod_flat>{_NAME}_{_NAME})\(',
        rf'failed for (?:volume|PV) "(?P<mounted>{_NAME})"',
        r'(?:[Vv]olume|PV|PersistentVolume)[ =:]*"(?P<volume>pvc-[-0-9a-f]{36})"',
        r"(?P<volume>pvc-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
        rf"-t nfs4?(?: -o (?P<options>\S+))? (?P<share>{_SERVER}:/\S*) (?P<mountpoint>/\S+)",
        rf"(?:mounting|mount system) (?P<share>{_SERVER}:/[^\s\",]*)",
        rf"\bkubelet, (?P<node>{_NAME})",
        r"^(?:[A-Z][a-z]{2} +\d+ [\d:.]+|\d{4}-\d\d-\d\dT\S+) "
        rf"(?P<node>{_NAME}) (?:kernel|kubelet|mount|umount|mount\.nfs4?|umount\.nfs4?)(?:\[\d+\])?: ",
        rf"^ *_HOSTNAME[:=] ?(?P<node>{_NAME})$",
        rf"^{_OWNER} +{_AGE} +{_EVENT}",
        rf"^{_OWNER} +{_EVENT}",
        rf"^(?:{_AGE} +)?{_EVENT}",
        rf"(?:^| )(?P<event_name>{_NAME})\.[0-9a-f]{{10,16}} +(?P<event_kind>{_KIND}) ",
        rf"^{_COLUMNS}{_OWNER} {{2,}}(?:\S+ {{2,}}){{0,3}}?(?P<event_kind>{_KIND}) {{2,}}"
        rf"(?P<event_name>{_NAME})(?: {{2,}}|$)",
        rf"^{_COLUMNS}{_OWNER} {{2,}}{_COLUMNS}(?P<event_reason>{_OF_REASON}) {{2,}}"
        rf"(?P<event_name>{_NAME})(?: {{2,}}|$)",
        rf"^{_COLUMNS}{_OWNER} {{2,}}{_COLUMNS}(?P<event_name>{_NAME}) {{2,}}(?:(?:Warning|Normal) {{2,}})?"
        rf"(?P<event_reason>{_OF_REASON})(?: {{2,}}|$)",
        rf"^{_COLUMNS}{_OWNER} {{2,}}{_COLUMNS}(?P<event_kind>(?:{_ANY_KIND}))/(?P<event_name>{_NAME})(?: {{2,}}|$)",
    )
)
_HEADS: dict[str, re.Pattern[str]] = {
    "kind": re.compile(bounded(r'^\s*"?kind"?: "?(?P<said>Pod|PersistentVolume|PersistentVolumeClaim)\b"?,?\s*$')),
    "name": re.compile(bounded(rf'^\s*"?(?:Name|name)"?:\s+"?(?P<said>{_NAME})"?,?\s*$')),
    "namespace": re.compile(bounded(rf'^\s*"?(?:Namespace|namespace)"?:\s+"?(?P<said>{_NAME})"?,?\s*$')),
    "node": re.compile(bounded(rf'^\s*"?(?:Node|host|nodeName)"?:\s+"?(?P<said>{_NAME})(?:/\S+)?"?,?\s*$')),
}
_DESCRIBED_EVENT = re.compile(r"  (?:Warning|Normal) +\w+ ")
_KINDS = {"pod": "pod", "persistentvolumeclaim": "claim", "persistentvolume": "volume"}

VERSIONS: tuple[TextPattern, ...] = tuple(
    read_pattern(source)
    for source in (
        r"Server Version:.*?v(?P<version>1\.\d+)\.\d+",
        r'[gG]itVersion"?: ?"?v(?P<version>1\.\d+)\.\d+',
        r'Kubelet version" kubeletVersion="v(?P<version>1\.\d+)\.\d+',
        r'kubeletVersion"?: "?v(?P<version>1\.\d+)\.\d+',
        r"Kubernetes v(?P<version>1\.\d+)\.\d+",
    )
)
"""Where a text says what version of Kubernetes it is from."""


def names_around(line: str, before: Sequence[str]) -> Names:
    """What the line and those before it (the nearest last) say about names: facts, named as in the catalogue."""
    found: Names = {}
    for said in (line, *reversed(before)):
        for clue in _CLUES:
            match = clue.search(said)
            if match is not None:
                for name, value in match.groupdict().items():
                    if value is not None:
                        found.setdefault(name, value)
    return _settle(found | {name: value for name, value in _head(before).items() if name not in found})


def own_names(line: str) -> Names:
    """What the line by itself says."""
    return names_around(line, ())


def _head(before: Sequence[str]) -> Names:
    """The object of `kubectl describe`, of an event in YAML or in JSON, whose text the lines before are part of."""
    found: Names = {}
    for said in reversed(before):
        for key, head in _HEADS.items():
            match = head.search(said)
            if match is not None:
                found.setdefault(f"head_{key}", match["said"])
    return found


def _settle(found: Names) -> Names:
    flat = found.pop("pod_flat", None)
    if flat is not None:
        name, _, namespace = flat.partition("_")
        found.setdefault("pod", f"{namespace}/{name}")
    reason = found.pop("event_reason", "")
    kind = next((kind for kind, reasons in _REASONS.items() if reason in reasons.split("|")), None)
    kind = _KINDS.get(found.pop("event_kind", found.pop("head_kind", "")).lower(), kind)
    name, namespace = found.pop("event_name", ""), found.pop("event_namespace", "")
    name, namespace = name or found.pop("head_name", ""), namespace or found.pop("head_namespace", "")
    node = found.pop("head_node", None)
    if node is not None:
        found.setdefault("node", node)
        kind = kind or "pod"
    if kind == "volume" and name:
        found.setdefault("volume", name)
    elif kind and name and namespace:
        found.setdefault(kind, f"{namespace}/{name}")
    if "share" in found:
        found.setdefault("server", found["share"].partition(":/")[0].removeprefix("[").removesuffix("]"))
    for left in [key for key in found if key.startswith(("head_", "event_"))]:
        del found[left]
    return found


class Described:
    """The object that the text is about at this place, in what `kubectl describe` prints: told far above its events."""

    NEEDLES = ("Name:    ", "Namespace:    ", "Node:    ", "StorageClass:  ", "Claim:    ")

    def __init__(self) -> None:
        self._said: Names = {}

    def read(self, line: str) -> None:
        """Takes a line of the text that has one of NEEDLES."""
        key, colon, value = line.partition(":")
        if colon and not key[:1].isspace():
            if key == "Name":
                self._said = {}
            self._said[key] = value.strip()

    def names(self) -> Names:
        """The claim, pod or volume, and the pod's node, as far as they are told."""
        said = self._said
        name, namespace = said.get("Name", ""), said.get("Namespace", "")
        if "Node" in said and namespace:
            node = said["Node"].partition("/")[0]
            return {"pod": f"{namespace}/{name}", **({} if node == "<none>" else {"node": node})}
        if "Claim" in said and not namespace:
            return {"volume": name}
        if "StorageClass" in said and namespace:
            return {"claim": f"{namespace}/{name}", **({"class": said["StorageClass"]} if said["StorageClass"] else {})}
        return {}


def is_described(lines: Sequence[str]) -> bool:
    """Whether they are an event as `kubectl describe` prints it."""
    return any(_DESCRIBED_EVENT.match(line) for line in lines)
