"""How far a take-over, or the way back, has come: told before each step, so that whoever is interrupted knows where he
stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from berth.texts.text import Text

Stage = Literal["nothing", "between", "served"]
"""nothing: nobody's work was changed; between: the old provisioner is down, or about to be, and the new one not yet up;
served: whoever is to serve runs.
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of progress."""

    stage: Stage
    text: Text


Told = Callable[[Step], None]


def where_it_stands(stage: Stage, *, on: str, back: str) -> Text:
    """What an administrator needs to know when it ended early. on, back: the commands that go on and back."""
    if stage == "nothing":
        return Text(
            f"This run changed nothing, and no data is at risk. When the cause is mended: `{on}`.",
            f"这次运行什么都没有改动，数据没有风险。排除原因后执行：`{on}`。",
        )
    if stage == "between":
        return Text(
            f"At this moment perhaps no provisioner runs: new claims and deletions wait, and nothing is lost by that. "
            f"Pods, their volumes and all data are untouched. To go on: `{on}`. To go back: `{back}`. Both can be "
            f"repeated.",
            f"此刻可能没有供应器在运行：新的 PVC 和删除操作会等待，不会因此丢失任何东西；Pod、卷和全部数据都没有动。"
            f"继续：`{on}`；回退：`{back}`；两者都可以重复执行。",
        )
    return Text(
        f"Claims are served; the rest is not done yet, and no data is at risk. To go on: `{on}`. To go back: `{back}`.",
        f"PVC 已有供应器处理，其余步骤还没有全部完成，数据没有风险。继续：`{on}`；回退：`{back}`。",
    )
