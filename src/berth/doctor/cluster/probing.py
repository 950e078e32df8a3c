"""What `--active` may try, and what a try leaves behind: decided before anything is made.

A try must never meet data, so a class is tried only where its pattern gives each PV a directory of its own, for sure.
And a try changes nobody's end: what a class archives or keeps, it archives or keeps of the probe, too; so such a class
is tried only where that was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from berth.doctor.cluster.provisioners import Provisioners
from berth.objects import kinds
from berth.objects.translation import location_of
from berth.texts.text import Text
from berth.volumes.errors import Refused
from berth.volumes.naming import archive_name
from berth.volumes.parameters import parse_parameters
from berth.volumes.patterns import DEFAULT_PATTERN, PathPattern, parse_path_pattern, parse_sub_dir
from berth.volumes.request import Claim, End

_CSI = "nfs.csi.k8s.io"
_CSI_PATTERN = parse_sub_dir("${pv.metadata.name}")
_KEEPS = "Retain"
_SOME_PV = "pvc-…"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the administrator asked for beyond a plain try."""

    image: str = ""
    """The probe's image, instead of that of the Berth that runs."""
    all_nodes: bool = False
    """Also on nodes that keep other pods off (taints)."""
    leaves: bool = False
    """Also classes that archive or keep what their claims leave."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A class that may be tried: how it lays out directories, and what becomes of them."""

    of_class: kinds.ClassObject
    pattern: PathPattern
    end: End
    flattens: bool
    """Whether an archive's name has the whole path in it, as Berth's has, or its last part only."""

    @property
    def leaves(self) -> bool:
        """Whether something stays on the share."""
        return self.end != "delete" or self.keeps_pv

    @property
    def keeps_pv(self) -> bool:
        return self.of_class.reclaimPolicy == _KEEPS

    def left(self, claim: Claim, pv: str) -> str:
        """What stays of a claim: a path, relative to the share's root."""
        path = self.pattern.path(claim, pv, {}, {})
        if self.keeps_pv or self.end != "archive":
            return path
        return archive_name(path if self.flattens else path.rpartition("/")[2])


def choose(of_class: kinds.ClassObject, provisioners: Provisioners, wish: Wish, claim: Claim) -> Tried | Text:
    """How to try the class with that claim, or why not."""
    try:
        tried = _read(of_class, provisioners)
        if isinstance(tried, Text):
            return tried
        stays = tried.left(claim, _SOME_PV)
    except Refused as refused:
        return Text(f"not tried: {refused}", f"未试用：{refused}")
    if not tried.pattern.is_unique:
        return Text(
            f"not tried: {tried.pattern.text!r} does not begin with a part that names the PV "
            f"({tried.pattern.unique_placeholder}), so the probe could be given a directory that holds data",
            f"未试用：{tried.pattern.text!r} 的第一段不含 PV 名（{tried.pattern.unique_placeholder}），"
            f"探测可能得到已有数据的目录",
        )
    if tried.leaves and not wish.leaves:
        pv = Text(" and the PV", "和 PV") if tried.keeps_pv else Text("", "")
        return Text(
            f"not tried: it {_keeps(tried).en} what its claims leave, so the probe's empty directory {stays}{pv.en} "
            f"would stay; --leave-behind tries it, and says how to remove that",
            f"未试用：它会{_keeps(tried).zh} PVC 留下的目录，探测的空目录 {stays}{pv.zh}会留下；"
            f"加上 --leave-behind 才会试用，并说明如何清理",
        )
    return tried


def root_of(volume: kinds.VolumeObject, path: str) -> str:
    """The share's root, as the PV with that path on it shows; empty where the PV lies elsewhere."""
    whole = (location_of(volume) or ("", ""))[1]
    return whole.removesuffix(f"/{path}") if whole.endswith(f"/{path}") else ""


def _keeps(tried: Tried) -> Text:
    if tried.end == "archive" and not tried.keeps_pv:
        return Text("archives", "归档")
    return Text("keeps", "保留")


def _read(of_class: kinds.ClassObject, provisioners: Provisioners) -> Tried | Text:
    """What the class says, as its provisioner reads it."""
    given = of_class.parameters or {}
    flavours = {each.flavour for each in provisioners.of(of_class.provisioner)}
    if of_class.provisioner == _CSI:
        pattern = parse_sub_dir(given["subDir"]) if given.get("subDir") else _CSI_PATTERN
        return Tried(of_class, pattern, _end(given.get("onDelete", "delete")), flattens=False)
    # A Berth outside of the cluster that has made no PV yet is known by its parameters, which no other one reads.
    is_outside = not flavours and provisioners.is_outside and bool(given.get("server") and given.get("share"))
    if provisioners.is_berth(of_class.provisioner) or is_outside:
        read = parse_parameters(given, server="any", export="/")
        if read.sharing != "deny":
            return Text(
                f"not tried: sharedPaths is {read.sharing}, so the probe could be given a directory that holds data",
                f"未试用：sharedPaths 为 {read.sharing}，探测可能得到已有数据的目录",
            )
        return Tried(of_class, read.pattern, read.on_delete, flattens=True)
    if flavours and flavours <= {"subdir", "selflink"}:
        said = given.get("pathPattern", "") if flavours == {"subdir"} else ""
        known = {key: value for key, value in given.items() if key in ("onDelete", "archiveOnDelete")}
        end = parse_parameters(known, server="any", export="/").on_delete
        return Tried(of_class, parse_path_pattern(said) if said else DEFAULT_PATTERN, end, flattens=False)
    return Text(
        f"not tried: nobody knows where {of_class.provisioner} makes its directories, and what becomes of them",
        f"未试用：不知道 {of_class.provisioner} 在哪里创建目录、之后如何处理",
    )


def _end(said: str) -> End:
    if said in ("delete", "archive"):
        return "delete" if said == "delete" else "archive"
    return "retain"
