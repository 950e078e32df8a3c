"""An old release at work, known by its lock on an Endpoints object, is waited for; what it left behind is not."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lightkube.resources.core_v1 import Endpoints
from structlog.testing import capture_logs

from berth.kube.client import Api
from berth.kube.config import load
from berth.kube.oldlock import ANNOTATION, wait_until_old_lock_is_free
from berth.kube.outcome import Note
from devcluster.cluster import DevCluster
from tests.kube.support import config_of, eventually

NAME = "nfs-provisioner-229"


def record(holder: str, *, age: timedelta = timedelta(), seconds: int = 2) -> str:
    """As client-go writes it."""
    moment = (datetime.now(UTC) - age).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps(
        {
            "holderIdentity": holder,
            "leaseDurationSeconds": seconds,
            "acquireTime": moment,
            "renewTime": moment,
            "leaderTransitions": 0,
        }
    )


async def lock(cluster: DevCluster, namespace: str, annotation: str) -> None:
    body = {"metadata": {"name": NAME, "annotations": {ANNOTATION: annotation}}}
    await asyncio.to_thread(cluster.request, "POST", f"/api/v1/namespaces/{namespace}/endpoints", body)


def waiting(api: Api, namespace: str, notes: list[Note]) -> asyncio.Task[None]:
    return asyncio.create_task(
        wait_until_old_lock_is_free(
            api, name=NAME, namespace=namespace, identity="new-pod", post=notes.append, retry_period=0.2
        )
    )


async def renew(api: Api, namespace: str, times: int) -> None:
    """The old pod at work, about once in half a second."""
    for number in range(times):
        text = record("old-pod") + " " * number  # never the same, though times are written in seconds
        await api.patch(Endpoints, NAME, {"metadata": {"annotations": {ANNOTATION: text}}}, namespace=namespace)
        await asyncio.sleep(0.5)


def test_a_lock_that_is_renewed_is_waited_for_and_told(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        clock = asyncio.get_running_loop().time
        await lock(cluster, namespace, record("old-pod"))
        notes: list[Note] = []
        async with Api(config_of(cluster)) as api:
            with capture_logs() as logs:
                task = waiting(api, namespace, notes)
                await renew(api, namespace, 8)
                assert not task.done()
                last_seen = clock()
                await task
                assert 1 <= clock() - last_seen <= 10
            assert [line["event"] for line in logs] == [
                "waiting for an old release to end",
                "the old release's lock is no longer renewed, going on",
            ]
        why = f"old-pod holds the lock of an older provisioner on Endpoints {namespace}/{NAME}"
        assert logs[0]["why"] == why
        assert [(note.type, note.reason, note.message) for note in notes] == [
            ("Warning", "LeaderElection", f"new-pod waits: {why}")
        ]
        assert (notes[0].about.kind, notes[0].about.name, notes[0].about.namespace) == ("Endpoints", NAME, namespace)

    asyncio.run(main())


def test_a_lock_that_goes_away_is_not_waited_for_any_longer(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        await lock(cluster, namespace, record("old-pod", seconds=3600))
        notes: list[Note] = []
        async with Api(config_of(cluster)) as api:
            task = waiting(api, namespace, notes)
            await eventually(lambda: notes)
            await api.delete(Endpoints, NAME, namespace=namespace)
            async with asyncio.timeout(10):
                await task

    asyncio.run(main())


@pytest.mark.parametrize(
    "annotation",
    [
        pytest.param("", id="no record"),
        pytest.param(record("", seconds=3600), id="given back"),
        pytest.param(record("old-pod", age=timedelta(days=90), seconds=3600), id="of an installation of the past"),
        pytest.param("not json", id="not a record"),
    ],
)
def test_what_was_left_behind_costs_no_time(cluster: DevCluster, namespace: str, annotation: str) -> None:
    async def main() -> None:
        await lock(cluster, namespace, annotation)
        notes: list[Note] = []
        async with Api(config_of(cluster)) as api, asyncio.timeout(10):
            await waiting(api, namespace, notes)
        assert notes == []

    asyncio.run(main())


def test_without_the_right_to_look_it_says_so_and_goes_on(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        account: dict[str, Any] = {"metadata": {"name": "berth"}}
        await asyncio.to_thread(cluster.request, "POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", account)
        config = load(str(await asyncio.to_thread(cluster.service_account_kubeconfig, namespace, "berth")))
        async with Api(config) as api, asyncio.timeout(10):
            with capture_logs() as logs:
                await waiting(api, namespace, [])
        assert [line["event"] for line in logs] == ["can't see whether an old release is still running, going on"]

    asyncio.run(main())
