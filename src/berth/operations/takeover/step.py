"""How far a take-over, or the way back, has come: told before each step, so that whoever is interrupted knows where he
stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from berth.texts.command import Shell
from berth.texts.text import Text

Stage = Literal["nothing", "standing", "between", "back", "served"]
"""nothing: nobody's work was changed; standing: the same, and Berth stands by; between: the old provisioner is down, or
about to be, and the new one not yet up; back: the old one was put back; served: whoever is to serve runs.
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of progress."""

    stage: Stage
    text: Text


Told = Callable[[Step], None]


def where_it_stands(stage: Stage, *, on: Shell, back: Shell) -> Text:
    """What an administrator needs to know when it ended early. on, back: the commands that go on and back."""
    match stage:
        case "nothing":
            return Text(
                "This run changed nothing, and no data is at risk. Mend the cause first, then begin again.",
                "这次运行什么都没有改动，数据没有风险。请先排除原因，再重新开始。",
            )
        case "standing":
            return Text(
                "The old provisioner serves as before: it was not touched. Berth is installed, and answers to none of "
                "its names. Mend the cause first, then begin again; what is there is used.",
                "旧制备器照常工作，没有动过它。Berth 已安装，但不响应它的任何名字。"
                "请先排除原因，再重新开始；已有的部分会继续使用。",
            )
        case "back":
            return Text(
                "The old provisioner was put back: it has its pods and its names as before, and no data is at risk. "
                "Berth stays installed, and answers to none of these names. Mend the cause first, then begin again.",
                "旧制备器已恢复：Pod 数和名字都和之前一样，数据没有风险。"
                "Berth 仍保留安装，但不响应这些名字。请先排除原因，再重新开始。",
            )
        case "between":
            return Text(
                f"At this moment perhaps no provisioner runs: new claims and deletions wait, and nothing is lost by "
                f"that. Pods, their volumes and all data are untouched. To go on: `{on}`. To go back: `{back}`. Both "
                f"can be repeated.",
                f"此刻可能没有制备器在运行：新的 PVC 和删除操作会等待，不会因此丢失任何东西；"
                f"Pod、卷和全部数据都没有动。"
                f"继续：`{on}`；回退：`{back}`；两者都可以重复执行。",
            )
    return Text(
        f"Claims are served; the rest is not done yet, and no data is at risk. To go on: `{on}`. To go back: `{back}`.",
        f"PVC 已有制备器处理，其余步骤还没有全部完成，数据没有风险。继续：`{on}`；回退：`{back}`。",
    )
