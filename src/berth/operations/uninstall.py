"""Uninstalling: the controller, its rights and its classes go; volumes, claims and PVs stay, every one of them."""

from __future__ import annotations

from collections.abc import Callable

from berth.kube.manifest import ManifestApi, place_of
from berth.operations.apply import Applied, remove_one
from berth.operations.installation import read_if_there
from berth.operations.owner import is_own
from berth.operations.uninstall_plan import UninstallPlan


async def uninstall(api: ManifestApi, plan: UninstallPlan, *, told: Callable[[Applied], None]) -> list[Applied]:
    """Removes what the plan says, in its order: claims find no class before nobody serves them, and rights go last.

    Repeatable: what an interrupted run has left is what the next plan says. An object that somebody has made anew in
    between, without the installation's labels, stays.
    """
    removed = []
    for manifest in plan.goes:
        live = await read_if_there(api, place_of(manifest))
        if live is None or not is_own(live, plan.name):
            continue
        done = await remove_one(api, manifest)
        if done.what == "removed":
            removed.append(done)
            told(done)
    return removed
