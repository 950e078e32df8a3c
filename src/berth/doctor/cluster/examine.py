"""What `berth doctor` and its commands about one claim, PV or pod do."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import aclosing

from berth.doctor.cluster.active import Prober
from berth.doctor.cluster.checks import CHECKS, ClusterInReach
from berth.doctor.cluster.dependencies import about_one
from berth.doctor.cluster.folding import fold
from berth.doctor.cluster.probing import Wish
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.run import Progress, run, why_unseen
from berth.findings.finding import Finding, Report, Subject, Unseen
from berth.findings.finding import report as make_report
from berth.kube.config import ClusterConfig
from berth.kube.errors import KubeError
from berth.kube.manifest import ManifestApi
from berth.texts.text import Text

_TIMEOUT = 7.0
"""Seconds for one request."""
_PROBE = "probe"


async def examine(
    about: Subject | None,
    config: ClusterConfig,
    *,
    active: bool = False,
    wish: Wish = Wish(),  # noqa: B008 - a value
    trusted: Collection[str] = (),
    progress: Progress | None = None,
    seen: Callable[[Snapshot], None] | None = None,
) -> Report:
    """What is wrong with the cluster, or (about: a claim, volume or pod) with one object and all that it hangs on.

    active: claims and pods are made to try it, and removed again; wish: what of that goes further than it has to.
    trusted: service accounts, `namespace/name`, that are provisioners' on the administrator's word. seen: is given what
    was read of the cluster.
    """
    async with ManifestApi(config, timeout=_TIMEOUT, user_agent="berth doctor") as api:
        cluster = ClusterInReach(api, trusted)
        try:
            report = await run(CHECKS, cluster, progress=progress)
            judged = await cluster.judged()
            if seen is not None and judged is not None:
                seen(judged[0])
        finally:
            await cluster.aclose()
        if about is None:
            report = make_report(fold(report.findings), report.unseen, report.checks)
        elif judged is not None:
            report = about_one(about, report, *judged)
        if active and judged is not None:
            report = await _tried(Prober(api, *judged, wish), report, progress)
        return report


async def _tried(prober: Prober, before: Report, progress: Progress | None) -> Report:
    """The report, and what trying it told."""
    said: list[Finding | Unseen] = []
    names = (*before.checks, _PROBE)
    if progress is not None:
        progress(len(before.checks), len(names), (_PROBE,))
    async with aclosing(prober.look()) as told:
        try:
            async for each in told:
                said.append(each)
        except KubeError as error:
            said.append(Unseen(Text("a claim, by trying it", "实际创建 PVC"), why_unseen(error), _PROBE))
    if progress is not None:
        progress(len(names), len(names), ())
    findings = [each for each in said if isinstance(each, Finding)]
    unseen = [each for each in said if isinstance(each, Unseen)]
    return make_report([*before.findings, *findings], [*before.unseen, *unseen], names)
