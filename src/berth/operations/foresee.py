"""What a claim would get, before it is filed: the same decision that the controller takes, about objects in files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from berth.manifests.classes import DEFAULT_KEYS
from berth.objects.kinds import ClaimObject, ClassObject
from berth.objects.translation import class_name_of, request_of
from berth.operations.static_volume import ACCESS_MODES, ONE_POD
from berth.texts.phrases import bilingual
from berth.texts.text import Text
from berth.volumes.errors import Refused
from berth.volumes.plan import DefaultShare, Plan, make_plan

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST_NAME = 253
"""What Kubernetes takes as an object's name (RFC 1123)."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would become of one claim: a plan, or the refusal."""

    claim: str
    class_name: str
    provisioner: str = ""
    plan: Plan | None = None
    end: str = ""
    """What becomes of the directory when the claim is deleted: delete, archive, or retain."""
    size: str = ""
    mount_options: tuple[str, ...] = ()
    refusal: Refused | None = None

    def as_dict(self) -> dict[str, object]:
        """For `-o json` and `-o yaml`."""
        told: dict[str, object] = {
            "claim": self.claim,
            "class": self.class_name,
            "provisioner": self.provisioner,
            "isServed": self.plan is not None,
        }
        if self.plan is not None:
            told |= {
                "pv": self.plan.pv,
                "share": str(self.plan.share),
                "path": self.plan.path,
                "mode": f"{self.plan.mode:04o}",
                "uid": self.plan.uid,
                "gid": self.plan.gid,
                "size": self.size,
                "onDelete": self.end,
                "mountOptions": list(self.mount_options),
                "doubts": list(self.plan.doubts),
            }
        if self.refusal is not None:
            told["refusal"] = {"field": self.refusal.field, "why": why_of(self.refusal)}
        return told


def why_of(refusal: Refused) -> Text:
    """A refusal's reason, in both languages."""
    return Text(refusal.why, refusal.why_zh) if refusal.why_zh else bilingual(refusal.why)


def _check_filing(claim: ClaimObject) -> None:
    """Refused for what the API server refuses before any provisioner sees the claim."""
    if not _NAME.fullmatch(claim.name) or len(claim.name) > _LONGEST_NAME:
        raise Refused("metadata.name", f"{claim.name!r} is not a name of small letters, digits, `-` and `.`")
    field, modes = "spec.accessModes", claim.spec.accessModes or ()
    if not modes:
        raise Refused(field, "is missing; name at least one, such as ReadWriteMany")
    for mode in modes:
        if mode not in ACCESS_MODES:
            raise Refused(field, f"{mode!r} is not one of {', '.join(ACCESS_MODES)}")
    if ONE_POD in modes and len(modes) > 1:
        raise Refused(field, f"{ONE_POD} stands alone, and never beside another one")


FindClass = Callable[[str | None], ClassObject | None]
"""The class of that name, of None the default one; None where there is none."""


def foresee(claim: ClaimObject, find_class: FindClass, default: DefaultShare) -> Foreseen:
    """What would become of the claim. Directories of other volumes are seen only when it is made."""
    wanted = class_name_of(claim)
    told = Foreseen(claim.key, wanted or "")
    if wanted == "":
        return replace(told, refusal=Refused("spec.storageClassName", "is empty, which asks for no class at all"))
    of_class = find_class(wanted)
    if of_class is None:
        why = f"class {wanted!r} does not exist" if wanted else "is not set, and no class is the default"
        return replace(told, refusal=Refused("spec.storageClassName", why))
    told = replace(told, class_name=of_class.name, provisioner=of_class.provisioner)
    try:
        _check_filing(claim)
        request = request_of(claim, of_class)
        if request.size_bytes <= 0:
            raise Refused("spec.resources.requests.storage", "must be more than nothing")
        plan = make_plan(request, default, lambda *_place: ())
    except Refused as refusal:
        return replace(told, refusal=refusal)
    return replace(
        told,
        plan=plan,
        end="retain" if of_class.reclaimPolicy == "Retain" else plan.on_delete,
        size=(claim.spec.resources.requests or {}).get("storage", ""),
        mount_options=tuple(of_class.mountOptions or ()),
    )


def finder(classes: Iterable[ClassObject]) -> FindClass:
    """Finds among these classes. Of several defaults the newest is taken, as Kubernetes does from 1.26 on."""
    known: Mapping[str, ClassObject] = {each.name: each for each in classes}
    defaults: Sequence[ClassObject] = sorted(
        (each for each in known.values() if any(each.annotations.get(key) == "true" for key in DEFAULT_KEYS)),
        key=lambda each: each.metadata.creationTimestamp or "",
    )
    return lambda name: known.get(name) if name is not None else (defaults[-1] if defaults else None)
