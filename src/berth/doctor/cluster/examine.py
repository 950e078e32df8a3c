"""What `berth doctor` and its commands about one claim, PV or pod do."""

from __future__ import annotations

from lightkube.config.kubeconfig import SingleConfig

from berth.doctor.cluster.chain import about_one
from berth.doctor.cluster.checks import CHECKS, Cluster
from berth.doctor.finding import Report, Subject
from berth.doctor.run import Progress, run
from berth.kube.manifest import ManifestApi

_TIMEOUT = 7.0
"""Seconds for one request."""


async def examine(
    about: Subject | None, config: SingleConfig, *, active: bool = False, progress: Progress | None = None
) -> Report:
    """What is wrong with the cluster, or (about: a claim, volume or pod) with one object and all that it hangs on.

    active: claims and pods are made to try it, and removed again.
    """
    async with ManifestApi(config, timeout=_TIMEOUT, user_agent="berth doctor") as api:
        cluster = Cluster(api)
        try:
            report = await run(CHECKS, cluster, progress=progress)
            judged = await cluster.judged()
        finally:
            await cluster.aclose()
        if about is not None and judged is not None:
            report = about_one(about, report, *judged)
        return report
