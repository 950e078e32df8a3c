"""A take-over that does not come to its end is undone: the names taken from Berth, and the old provisioner scaled up
again, with the pods that it had. Every step can be repeated.
"""

from __future__ import annotations

from contextlib import suppress

from berth.kube.errors import KubeError
from berth.operations.errors import Stopped
from berth.operations.polling import poll
from berth.operations.takeover.names import carries, set_names
from berth.operations.takeover.plan import GroupPlan
from berth.operations.takeover.records import remove_records
from berth.operations.takeover.run import Run
from berth.operations.takeover.workloads import scale_back, wait_pods_gone
from berth.texts.counting import several
from berth.texts.text import Text
from berth.volumes.errors import VolumeError

_PAUSE = 1.0
"""Seconds between two tries, where the API server does not answer."""


async def put_back(run: Run, plan: GroupPlan) -> None:
    """The old provisioners of one group work again as they did. What can't be done in time is told, never raised."""
    run.tell(
        f"putting {', '.join(one.key for one in plan.group.old)} back",
        f"正在恢复 {'、'.join(one.key for one in plan.group.old)}",
    )
    told = ""

    async def is_done() -> bool:
        nonlocal told
        try:
            await _once(run, plan)
        except (KubeError, Stopped) as error:
            why = error.text if isinstance(error, Stopped) else Text(str(error), str(error))
            if why.en != told:
                told = why.en
                run.tell(f"not yet: {why.en}", f"尚未成功：{why.zh}")
            return False
        return True

    if not await poll(is_done, until=bool, patience=run.patience, every=_PAUSE):
        return
    run.stage = "back"
    for one in plan.group.old:
        before = one.replicas or one.before or 0
        run.tell(
            f"{one.key} is back, scaled up to {several(before, 'pod')} as before",
            f"{one.key} 已恢复，副本数和之前一样为 {before}",
        )
    if run.wanted.with_share:
        with suppress(VolumeError):  # records that stay do no harm
            await remove_records(run.shares, plan.group.volumes, run.uid)


async def _once(run: Run, plan: GroupPlan) -> None:
    by, names = plan.by, plan.group.provisioners
    if plan.is_installing:
        # First, or two would be at work on one name.
        selector = await set_names(run.api, by.namespace, by.name, plan.own)
        if selector is not None:
            left = await wait_pods_gone(
                run.api,
                [(by.namespace, selector)],
                patience=run.patience,
                progress=lambda left: run.tell(
                    f"waiting for the end of {', '.join(left)}", f"等待 {'、'.join(left)} 结束"
                ),
                counts=lambda pod: carries(pod, names),
            )
            if left:
                raise Stopped(
                    Text(
                        f"{', '.join(left)} of Berth still has these names, and does not end",
                        f"Berth 的 {'、'.join(left)} 仍在使用这些名字，且没有结束",
                    )
                )
    for one in plan.group.old:
        await scale_back(run.api, one)
