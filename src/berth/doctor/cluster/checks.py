"""All checks of the cluster. Each waits for the one reading of it, then judges; shares are asked beside that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import suppress

from berth.doctor.cluster import (
    apps,
    claims,
    classes,
    default_class,
    directories,
    kubesphere,
    leading,
    mounting,
    options,
    refusing,
    rights,
    running,
    servers,
    trust,
    volumes,
)
from berth.doctor.cluster.dependencies import OUTAGES, SHARES
from berth.doctor.cluster.directories_there import ask_shares
from berth.doctor.cluster.outages import Outage, Outages
from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.reading import Reading, read_cluster
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.cluster.stakes import judge_outages
from berth.doctor.cluster.trash import look_at_trash
from berth.doctor.run import Check
from berth.findings.finding import Finding, Unseen
from berth.kube.manifest import ManifestApi
from berth.texts.text import Text

DEADLINE = 12.5

_ASKING = 11.5
"""Seconds after which a judgement that would like to know how the shares are goes on without."""

Judgement = Callable[[Snapshot, Provisioners], Iterator[Finding | Unseen]]


class ClusterInReach:
    """What all checks look at: one reading, made by whoever asks first."""

    def __init__(self, api: ManifestApi, trusted: Collection[str] = ()) -> None:
        self._api = api
        self._trusted = trusted
        self._reading: asyncio.Task[Reading] | None = None
        self._provisioners: Provisioners | None = None
        self._asking: asyncio.Task[list[Finding | Unseen]] | None = None
        self._asked: dict[str, Outage | None] = {}
        self._began = asyncio.get_running_loop().time()

    async def reading(self) -> Reading:
        """What was read, by the first who asked. Raises what the reading raised where nothing could be read."""
        if self._reading is None:
            self._reading = asyncio.create_task(read_cluster(self._api, self._trusted), name="reading the cluster")
        return await asyncio.shield(self._reading)

    async def judged(self) -> tuple[Snapshot, Provisioners] | None:
        """The snapshot and its provisioners; None where nothing could be read. That is told once, by the check of the
        API server.
        """
        try:
            snapshot = (await self.reading()).snapshot
        except Exception:  # noqa: BLE001 - whatever it is, the check `api-server` raises it
            return None
        if self._provisioners is None:
            self._provisioners = Provisioners(snapshot)
        return snapshot, self._provisioners

    async def shares(self) -> list[Finding | Unseen]:
        """What the shares told that were asked, but for outages, of which `judged_with_shares` knows."""
        judged = await self.judged()
        if judged is None:
            return []
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask(*judged), name="asking the shares")
        return await asyncio.shield(self._asking)

    async def judged_with_shares(self) -> tuple[Snapshot, Provisioners] | None:
        """As judged, and the provisioners know which of their shares don't do their work: those that were asked until
        then, and those of which Events tell.
        """
        judged = await self.judged()
        if judged is None:
            return None
        with suppress(Exception):  # whatever it is, the check of the shares raises it
            async with asyncio.timeout_at(self._began + _ASKING):
                await self.shares()
        snapshot, provisioners = judged
        return snapshot, provisioners.with_outages(Outages.of(snapshot, self._asked))

    async def _ask(self, snapshot: Snapshot, provisioners: Provisioners) -> list[Finding | Unseen]:
        return [each async for each in ask_shares(snapshot, provisioners, self._asked)]

    async def aclose(self) -> None:
        """Gives up what is under way."""
        under_way = {each for each in (self._reading, self._asking) if each is not None}
        for each in under_way:
            each.cancel()
        if under_way:
            await asyncio.wait(under_way)


def _judging(judgement: Judgement, *, asks_shares: bool) -> Callable[[ClusterInReach], AsyncIterator[Finding | Unseen]]:
    async def look(cluster: ClusterInReach) -> AsyncIterator[Finding | Unseen]:
        judged = await (cluster.judged_with_shares() if asks_shares else cluster.judged())
        if judged is not None:
            for finding in judgement(*judged):
                yield finding
                await asyncio.sleep(0)  # thousands of findings are no reason to be late

    return look


async def _look_at_api_server(cluster: ClusterInReach) -> AsyncIterator[Finding | Unseen]:
    for unseen in (await cluster.reading()).unseen:
        yield unseen


async def _look_at_shares(cluster: ClusterInReach) -> AsyncIterator[Finding | Unseen]:
    for each in await cluster.shares():
        yield each


async def _look_at_trash(cluster: ClusterInReach) -> AsyncIterator[Finding | Unseen]:
    judged = await cluster.judged()
    if judged is not None:
        async for each in look_at_trash(*judged):
            yield each


def _check(name: str, judgement: Judgement, en: str, zh: str, *, asks_shares: bool = False) -> Check[ClusterInReach]:
    return Check(name, Text(en, zh), _judging(judgement, asks_shares=asks_shares), DEADLINE)


CHECKS: tuple[Check[ClusterInReach], ...] = (
    Check("api-server", Text("the cluster", "集群"), _look_at_api_server, DEADLINE),
    _check("directories", directories.judge_overlaps, "PVs on one directory", "使用同一目录的 PV"),
    Check(SHARES, Text("PVs and directories on the shares", "共享上的目录与 PV"), _look_at_shares, DEADLINE),
    _check(OUTAGES, judge_outages, "shares that don't do their work", "无法工作的共享", asks_shares=True),
    Check("trash", Text("deleted volumes that don't go", "无法清除的已删除卷"), _look_at_trash, DEADLINE),
    _check("clones", claims.judge_clones, "copies that came out empty", "得到空卷的克隆"),
    _check("selflink", running.judge_selflink, "provisioners that need selfLink", "依赖 selfLink 的制备器"),
    _check("provisioners", running.judge_running, "provisioners that don't run", "没有运行的制备器"),
    _check("provisioner-twice", leading.judge_twice, "provisioners of one name", "同名的制备器"),
    _check("leases", leading.judge_leases, "leases of provisioners", "制备器的租约"),
    _check("rights", rights.judge_rights, "rights of Berth's account", "Berth 账号的权限"),
    _check("trust", trust.judge_trust, "whom one may take for a provisioner", "谁可以被当作制备器"),
    _check("class-provisioner", classes.judge_classes, "classes and who serves them", "StorageClass 及其制备器"),
    _check("class-parameters", classes.judge_parameters, "parameters of Berth's classes", "Berth StorageClass 的参数"),
    _check(
        "default-class", default_class.judge_default_class, "the default class", "默认 StorageClass", asks_shares=True
    ),
    _check("mount-options", options.judge_options, "mount options", "挂载选项"),
    _check("claims-pending", claims.judge_pending, "claims that stay Pending", "一直 Pending 的 PVC", asks_shares=True),
    _check("expansions", claims.judge_expansions, "claims that are to grow", "等待扩容的 PVC"),
    _check("ends", volumes.judge_ends, "PVs that are Released or Failed", "Released 或 Failed 的 PV", asks_shares=True),
    _check("terminating", volumes.judge_terminating, "claims and PVs that don't go", "一直 Terminating 的 PVC 和 PV"),
    _check("mounts", mounting.judge_mounts, "pods that wait for NFS volumes", "等待 NFS 卷的 Pod", asks_shares=True),
    _check("server-pods", servers.judge_server_pods, "NFS servers in the cluster", "集群内的 NFS 服务器"),
    _check("refusals", mounting.judge_refusals, "claims that were refused", "被拒绝的 PVC"),
    _check("webhooks", refusing.judge_webhooks, "webhooks that refuse everything", "拒绝一切的 Webhook"),
    _check("accessors", refusing.judge_accessors, "KubeSphere's Accessors", "KubeSphere Accessor"),
    _check("console", kubesphere.judge_console, "what KubeSphere's console greys out", "KubeSphere 控制台的灰色按钮"),
    _check("apps", apps.judge_apps, "programs that break on NFS", "不适合 NFS 的程序"),
)
