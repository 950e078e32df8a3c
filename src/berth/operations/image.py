"""Whether nodes can have Berth's image, looked at before anything is touched. Only an image that no registry has is
looked for: whether a node reaches a registry, and is let in, is nothing that can be seen from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from berth.findings.finding import Finding, Subject
from berth.kube.errors import Forbidden
from berth.kube.manifest import ManifestApi, place
from berth.operations.findings import find
from berth.texts.counting import counted, some
from berth.texts.images import ImageName, read_image

_TOLD = 50
"""Images that a kubelet tells of at most, the largest first, where its nodeStatusMaxImages does not say otherwise."""


@dataclass(frozen=True, slots=True)
class _Looked:
    name: str
    has_it: bool
    tells_all: bool
    """It tells of fewer images than it may: what is not among them is not there."""


async def look_for_image(api: ManifestApi, image: str, about: Subject) -> Finding | None:
    """A failure where no node on which Berth's pods may run has it and no registry does; a warning where some nodes
    lack it; None where all is well, or nobody can know. about: the installation that is to be. KubeError.
    """
    try:
        name = read_image(image)
    except ValueError:
        return None  # somebody's own word in a Deployment that is there: its pods tell
    if not name.is_nobodys:
        return None
    nodes = await _nodes(api, name)
    lack = [one for one in nodes if not one.has_it]
    if not lack:
        return None
    tag = name.tag or "VERSION"
    if len(lack) == len(nodes):
        is_sure = all(one.tells_all for one in lack)
        return find(
            "image-nowhere",
            about,
            variant="sure" if is_sure else "perhaps",
            image=image,
            nodes=counted(len(nodes), "node", "个节点"),
            tag=tag,
        )
    lack = [one for one in lack if one.tells_all]
    if not lack:
        return None
    named = some(one.name for one in lack)
    return find("image-on-some-nodes", about, image=image, named=named, tag=tag)


async def _nodes(api: ManifestApi, image: ImageName) -> list[_Looked]:
    """Those on which a pod that tolerates nothing may run; none where nobody lets us look."""
    found = []

    def note(node: dict[str, Any]) -> bool:
        spec, told = node.get("spec", {}), node.get("status", {}).get("images") or []
        shuts_out = any(one.get("effect") in ("NoSchedule", "NoExecute") for one in spec.get("taints") or [])
        if not spec.get("unschedulable") and not shuts_out:
            has_it = any(_is(image, name) for one in told for name in one.get("names") or [])
            found.append(_Looked(node["metadata"]["name"], has_it, len(told) < _TOLD))
        return False  # thousands of nodes are not held

    try:
        await api.read_each(place("v1", "Node"), keep=note)
    except Forbidden:
        return []
    return found


def _is(image: ImageName, told: str) -> bool:
    """Whether a name that a node tells is the image's; some runtimes leave out what is understood."""
    if image.path.rpartition("/")[2] not in told:
        return False
    try:
        return read_image(told).whole == image.whole
    except ValueError:
        return False  # such as <none>@<none>
