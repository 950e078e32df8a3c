"""What can't be looked at is said, in time, and nothing is made up in its place."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from berth.doctor.cluster.examine import examine
from berth.findings.finding import Report
from berth.kube.config import load
from devcluster.cluster import DevCluster

PROMISED = 60.0


def configured(server: str, directory: Path) -> Path:
    """A kubeconfig that leads to server."""
    path = directory / "kubeconfig"
    named = {"name": "it"}
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{**named, "cluster": {"server": server}}],
                "users": [{**named, "user": {"token": "x"}}],
                "contexts": [{**named, "context": {"cluster": "it", "user": "it"}}],
                "current-context": "it",
            }
        )
    )
    return path


def looked(kubeconfig: Path) -> tuple[Report, float]:
    """The report, and the seconds that it took."""
    begin = time.monotonic()
    return asyncio.run(examine(None, load(str(kubeconfig)))), time.monotonic() - begin


def test_an_api_server_that_is_not_there_is_one_thing_unseen(tmp_path: Path) -> None:
    report, seconds = looked(configured("http://127.0.0.1:1", tmp_path))
    (unseen,) = report.unseen
    assert unseen.reason.en == "the API server http://127.0.0.1:1 is unreachable: connection refused"
    assert unseen.reason.zh == "无法访问 API 服务器 http://127.0.0.1:1：连接被拒绝"
    assert (report.findings, report.exit_code) == ((), 3)
    assert seconds < PROMISED


@pytest.mark.slow
def test_an_api_server_that_never_answers_is_given_up_in_time(tmp_path: Path) -> None:
    async def both() -> tuple[Report, float]:
        async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as silent:
            port = silent.sockets[0].getsockname()[1]
            begin = time.monotonic()
            report = await examine(None, load(str(configured(f"http://127.0.0.1:{port}", tmp_path))))
            return report, time.monotonic() - begin

    report, seconds = asyncio.run(both())
    assert len(report.unseen) == 1
    assert (report.findings, report.exit_code) == ((), 3)
    assert seconds < PROMISED


def test_who_may_see_nothing_is_told_each_right_that_is_missing(cluster: DevCluster) -> None:
    cluster.kubectl("create", "serviceaccount", "blind", "-n", "default")
    report, _ = looked(cluster.service_account_kubeconfig("default", "blind"))
    cluster.kubectl("delete", "serviceaccount", "blind", "-n", "default")
    assert not report.findings
    assert report.exit_code == 3
    reasons = {each.what.en: each.reason.en for each in report.unseen}
    assert 'cannot list resource "persistentvolumes"' in reasons["PVs"]
    assert 'cannot list resource "pods"' in reasons["pods"]
    assert all("没有权限" in each.reason.zh for each in report.unseen)
