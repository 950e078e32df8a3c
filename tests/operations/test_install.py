"""Installing on a real cluster: waited for until the pods serve.

No node runs here, so what a kubelet would write of pods is written by the test.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from berth.kube.manifest import ManifestApi, place
from berth.manifests.labels import selector_labels
from berth.operations.asked import Asked
from berth.operations.install import Rollout, is_news, why_not_ready
from berth.settings.install import InstallSettings
from berth.texts.text import same
from devcluster.cluster import DevCluster
from tests.operations.installing import again, installing, run

BACK_OFF, ERR_PULL, STARTS = same("BackOff"), same("ErrImagePull"), same("starts")


def reasons(rollout: Rollout) -> list[str]:
    return [reason.en for reason in rollout.waits_for]


async def pods_of(api: ManifestApi, asked: Asked) -> list[dict[str, Any]]:
    selector = ",".join(f"{key}={value}" for key, value in selector_labels(InstallSettings(name=asked.name)).items())
    listed = await api.read(place("v1", "Pod", namespace=asked.namespace), labels=selector)
    found: list[dict[str, Any]] = listed["items"]
    return found


async def write_status(cluster: DevCluster, pod: dict[str, Any], status: dict[str, Any]) -> None:
    """As the kubelet does."""
    meta = pod["metadata"]
    path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/status"
    await asyncio.to_thread(cluster.request, "PUT", path, {**pod, "apiVersion": "v1", "kind": "Pod", "status": status})


NOT_SCHEDULED = {"type": "PodScheduled", "status": "False"}
READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
NO_IMAGE = {
    "phase": "Pending",
    "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}],
    "containerStatuses": [
        {
            "name": "berth", "image": "berth:0.1.0", "imageID": "", "ready": False, "restartCount": 0,
            "state": {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "berth:0.1.0"'}},
        }
    ],
}  # fmt: skip


def test_it_is_waited_for_until_every_pod_is_ready_and_told_what_is_in_the_way(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        seen: list[Rollout] = []
        working = asyncio.create_task(installing(api, asked, patience=50, seen=seen))

        async def told(condition: Callable[[Rollout], bool]) -> None:
            while not (seen and condition(seen[-1])):
                assert not working.done(), working.result()
                await asyncio.sleep(0.05)

        await told(lambda rollout: reasons(rollout) == ["waits for a node"])
        for pod in await pods_of(api, asked):
            await write_status(cluster, pod, NO_IMAGE)
        await told(lambda rollout: "ImagePullBackOff" in "".join(reasons(rollout)))
        assert seen[-1].text.en == '0 of 2 pods ready: ImagePullBackOff: Back-off pulling image "berth:0.1.0"'
        first, *others = await pods_of(api, asked)
        await write_status(cluster, first, READY)
        await told(lambda rollout: rollout.ready == 1)
        for pod in others:
            await write_status(cluster, pod, READY)
        installed = await working
        assert installed.rollout == Rollout(2, 2)
        assert {one.what for one in installed.applied if one.kind != "Namespace"} == {"created"}
        repeated = await installing(api, asked, patience=5)
        assert {one.what for one in repeated.applied} == {"unchanged"}
        assert repeated.rollout.is_complete
        changed = await installing(api, again(asked, image="berth:next"))
        assert [one.kind for one in changed.applied if one.what == "changed"] == ["Deployment"]
        assert not changed.rollout.is_complete

    run(cluster, body)


@pytest.mark.parametrize(
    ("rollout", "news"),
    [
        pytest.param(Rollout(0, 2, (BACK_OFF,)), False, id="a reason that was told before the last one"),
        pytest.param(Rollout(0, 2, (ERR_PULL, BACK_OFF)), False, id="two that were told one by one"),
        pytest.param(Rollout(0, 2, (ERR_PULL, STARTS)), True, id="one that is new"),
        pytest.param(Rollout(1, 2, (BACK_OFF,)), True, id="one pod more"),
        pytest.param(Rollout(2, 2), True, id="all of them"),
    ],
)
def test_reasons_that_take_turns_are_told_once(rollout: Rollout, news: bool) -> None:
    told = [Rollout(0, 2, (BACK_OFF,)), Rollout(0, 2, (ERR_PULL,))]
    assert is_news(rollout, told) is news
    assert is_news(told[0], [])


def test_our_own_words_are_told_in_chinese_and_the_clusters_as_they_are() -> None:
    ours = why_not_ready({"status": {"phase": "Pending"}})
    assert ours is not None
    text = Rollout(0, 2, (same("ErrImagePull: no such host"), ours)).text
    assert text.en == "0 of 2 pods ready: ErrImagePull: no such host; waits for a node"
    assert text.zh == "2 个 Pod 中 0 个就绪：ErrImagePull: no such host；等待分配节点"


@pytest.mark.parametrize(
    ("status", "why"),
    [
        pytest.param(READY, "", id="ready"),
        pytest.param({"phase": "Pending"}, "waits for a node", id="new"),
        pytest.param(NO_IMAGE, 'ImagePullBackOff: Back-off pulling image "berth:0.1.0"', id="no image"),
        pytest.param(
            {"phase": "Failed", "reason": "SysctlForbidden", "message": "forbidden sysctl: net.ipv4"},
            "SysctlForbidden forbidden sysctl: net.ipv4",
            id="a sysctl that the node does not allow",
        ),
        pytest.param(
            {
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
                ]
            },
            "Unschedulable: 0/3 nodes",
            id="no node that fits",
        ),
        pytest.param(
            {
                "containerStatuses": [
                    {
                        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                        "lastState": {"terminated": {"exitCode": 2}},
                    }
                ]
            },
            "CrashLoopBackOff: last exit code 2",
            id="ends again and again",
        ),
        pytest.param(
            {"containerStatuses": [{"state": {"running": {}}}]},
            "the container runs and does not say that it is ready yet",
            id="not ready yet",
        ),
    ],
)
def test_why_a_pod_is_not_ready_is_told_in_the_clusters_words(status: dict[str, Any], why: str) -> None:
    told = why_not_ready({"status": status})
    assert (told.en if told else "") == why
