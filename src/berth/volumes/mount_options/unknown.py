"""Options that neither mount nor any kernel knows: whose they are, and what was probably meant."""

from __future__ import annotations

import difflib
import re
import unicodedata

from berth.texts.text import Text
from berth.volumes.mount_options.option import Option, OptionFault, Weight, shown
from berth.volumes.mount_options.table import ALIASES, FOREIGN, GENERIC, TABLE, VENDORS, WHOLE


def judge_unknown(option: Option, is_sloppy: bool) -> OptionFault:
    """An option that neither mount nor any kernel knows."""
    it = shown(option.text)
    weight: Weight = "risky" if is_sloppy else "refused"
    foreign = FOREIGN.get(option.key)
    instead = _meant(option)
    if option.key in VENDORS:
        whose = VENDORS[option.key]
        said = Text(
            f"{it} is known to the NFS client of {whose} only; every node needs that",
            f"只有 {whose} 的 NFS 客户端认识 {it}；每个节点都要装有它",
        )
        return OptionFault(option.text, "risky", said)
    if foreign is not None and instead is None:
        said = Text(
            f"{it} is an option {foreign.whose.en}, which mount.nfs refuses; {foreign.advice.en}",
            f"{it} 是{foreign.whose.zh}选项，mount.nfs 会拒绝；{foreign.advice.zh}",
        )
        return OptionFault(option.text, weight, said, "")
    if instead is not None:
        said = Text(
            f"{it} is no mount option of NFS, and mount.nfs refuses it; "
            + (f"probably {shown(instead)} is meant" if instead else "leave it out"),
            f"{it} 不是 NFS 的挂载选项，mount.nfs 会拒绝；" + (f"很可能应为 {shown(instead)}" if instead else "请去掉"),
        )
        return OptionFault(option.text, weight, said, instead)
    said = Text(
        f"{it} is no mount option of NFS, and mount.nfs refuses it; leave it out (nfs(5) lists what there is)",
        f"{it} 不是 NFS 的挂载选项，mount.nfs 会拒绝；请去掉（nfs(5) 列出了全部选项）",
    )
    return OptionFault(option.text, weight, said, "")


def _meant(option: Option) -> str | None:
    """The option that was probably meant; None where nothing is like it."""
    plain = unicodedata.normalize("NFKC", option.text).strip().strip("\"'`“”‘’").strip()
    lowered = re.sub(r"\s*[=:]+\s*|\s+", "=", plain.lower(), count=1).rstrip("=")
    if lowered in WHOLE:
        return WHOLE[lowered]
    key, equals, value = lowered.partition("=")
    value = value.strip("\"'`“”‘’ ")
    if key in FOREIGN:
        return None
    known = {**TABLE, **GENERIC}
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.75 if len(key) > 3 else 0.9)
        key = ALIASES.get(key) or (near[0] if near else "")
    if not key:
        return None
    if known[key].takes == "nothing":
        return key
    return f"{key}={value}" if equals and value else f"{key}=…" if known[key].takes != "anything" else key
