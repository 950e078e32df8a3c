"""What becomes of old volumes when their claims go: made, and so ended as said, or retained: the design's own words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from berth.operations.takeover.inventory import Group
from berth.texts.counting import several
from berth.texts.text import Text
from berth.volumes.request import End


def ends_of(group: Group) -> Iterator[Text]:
    """What becomes of the volumes: the old provisioner made them, and a record makes them Berth's to end."""
    made = Counter(one.end for one in group.volumes if one.is_proven or one.by_berth)
    others = len(group.volumes) - made.total()
    if made:
        words: tuple[tuple[End, str, str], ...] = (
            ("delete", "deleted", "删除"), ("archive", "archived", "归档"), ("retain", "retained", "保留")
        )  # fmt: skip
        counts = Text(
            ", ".join(f"{made[end]} {en}" for end, en, _ in words if made[end]),
            "、".join(f"{made[end]} 个{zh}" for end, _, zh in words if made[end]),
        )
        yield Text(
            f"{several(made.total(), 'volume')} count as made, since their paths show whose they are; at their end, "
            f"as their PVs and classes say: {counts.en}",
            f"{made.total()} 个卷的路径能证明归属，视同由 Berth 创建；"
            f"PVC 删除之后按 PV 和 StorageClass 的规定处理：{counts.zh}",
        )
    if others:
        yield Text(
            f"{several(others, 'volume')} retained at their end, whatever their classes say: nothing shows that "
            f"their directories were made for them",
            f"{others} 个卷无法证明其目录是为它们创建的：无论 StorageClass 怎么写，到期时都保留",
        )
