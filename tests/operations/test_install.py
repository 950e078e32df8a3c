"""Installing on a real cluster: waited for until the pods serve, stopped before any change where it can't work.

No node runs here, so what a kubelet would write of pods is written by the test.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from berth.kube.config import load
from berth.kube.errors import NotFound
from berth.kube.manifest import ManifestApi, place
from berth.manifests.labels import selector_labels
from berth.operations.apply import Applied
from berth.operations.errors import Stopped
from berth.operations.install import Installed, Rollout, install, is_news, names_answered_to, why_not_ready
from berth.operations.uninstall import uninstall
from berth.programs.controller import PERMISSIONS
from berth.settings.install import ClassSettings, InstallSettings
from devcluster.cluster import DevCluster

Run = Callable[[ManifestApi, InstallSettings], Awaitable[None]]


def run(cluster: DevCluster, namespace: str, body: Run) -> None:
    """Runs body with an installation of its own, and clears it away."""

    async def main() -> None:
        async with ManifestApi(load(str(cluster.kubeconfig))) as api:
            name = f"berth-{secrets.token_hex(4)}"
            settings = InstallSettings(
                server="nfs.example.com",
                export="/srv",
                name=name,
                namespace=namespace,
                provisioners=(f"{name}.example/nfs",),
                classes=(ClassSettings(name=name, provisioner=f"{name}.example/nfs"),),
            )
            async with asyncio.timeout(60), clearing(api, settings):
                await body(api, settings)

    asyncio.run(main())


@asynccontextmanager
async def clearing(api: ManifestApi, settings: InstallSettings) -> AsyncIterator[None]:
    try:
        yield
    finally:
        with suppress(Stopped):
            await uninstall(api, name=settings.name, namespace=settings.namespace, told=lambda _: None)


async def installing(
    api: ManifestApi, settings: InstallSettings, *, patience: float, seen: list[Rollout] | None = None
) -> Installed:
    told: list[Applied] = []
    progress = [] if seen is None else seen
    return await install(api, settings, PERMISSIONS, patience=patience, told=told.append, progress=progress.append)


async def pods_of(api: ManifestApi, settings: InstallSettings) -> list[dict[str, Any]]:
    selector = ",".join(f"{key}={value}" for key, value in selector_labels(settings).items())
    listed = await api.read(place("v1", "Pod", namespace=settings.namespace), labels=selector)
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


def test_it_is_waited_for_until_every_pod_is_ready_and_told_what_is_in_the_way(
    cluster: DevCluster, namespace: str
) -> None:
    async def body(api: ManifestApi, settings: InstallSettings) -> None:
        seen: list[Rollout] = []
        working = asyncio.create_task(installing(api, settings, patience=50, seen=seen))

        async def told(condition: Callable[[Rollout], bool]) -> None:
            while not (seen and condition(seen[-1])):
                assert not working.done(), working.result()
                await asyncio.sleep(0.05)

        await told(lambda rollout: rollout.waits_for == ("waits for a node",))
        for pod in await pods_of(api, settings):
            await write_status(cluster, pod, NO_IMAGE)
        await told(lambda rollout: "ImagePullBackOff" in "".join(rollout.waits_for))
        assert seen[-1].text.en == '0 of 2 pods ready: ImagePullBackOff: Back-off pulling image "berth:0.1.0"'
        first, *others = await pods_of(api, settings)
        await write_status(cluster, first, READY)
        await told(lambda rollout: rollout.ready == 1)
        for pod in others:
            await write_status(cluster, pod, READY)
        installed = await working
        assert installed.rollout == Rollout(2, 2)
        assert {one.what for one in installed.applied if one.kind != "Namespace"} == {"created"}
        again = await installing(api, settings, patience=5)
        assert {one.what for one in again.applied} == {"unchanged"}
        assert again.rollout.is_complete
        changed = await installing(api, replace(settings, image="berth:next"), patience=0)
        assert [one.kind for one in changed.applied if one.what == "changed"] == ["Deployment"]
        assert not changed.rollout.is_complete

    run(cluster, namespace, body)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"provisioner": "another.example/nfs"}, "provisioner"),
        ({"parameters": {"archiveOnDelete": "false"}}, "archiveOnDelete=false"),
        ({"reclaim_policy": "Retain"}, "reclaimPolicy Delete where Retain"),
        ({"mount_options": ("hard",)}, "mountOptions"),
    ],
)
def test_a_class_in_the_way_stops_it_before_anything_is_changed(
    cluster: DevCluster, namespace: str, change: dict[str, Any], named: str
) -> None:
    async def body(api: ManifestApi, settings: InstallSettings) -> None:
        await installing(api, settings, patience=0)
        other = replace(settings, name=f"{settings.name}-b", classes=(replace(settings.classes[0], **change),))
        with pytest.raises(Stopped, match=named) as stopped:
            await installing(api, other, patience=0)
        assert settings.classes[0].name in stopped.value.text.zh
        with pytest.raises(NotFound):
            await api.read(place("v1", "ServiceAccount", other.name, namespace))

    run(cluster, namespace, body)


@pytest.mark.parametrize(
    ("rollout", "news"),
    [
        pytest.param(Rollout(0, 2, ("BackOff",)), False, id="a reason that was told before the last one"),
        pytest.param(Rollout(0, 2, ("ErrImagePull", "BackOff")), False, id="two that were told one by one"),
        pytest.param(Rollout(0, 2, ("ErrImagePull", "starts")), True, id="one that is new"),
        pytest.param(Rollout(1, 2, ("BackOff",)), True, id="one pod more"),
        pytest.param(Rollout(2, 2), True, id="all of them"),
    ],
)
def test_reasons_that_take_turns_are_told_once(rollout: Rollout, news: bool) -> None:
    told = [Rollout(0, 2, ("BackOff",)), Rollout(0, 2, ("ErrImagePull",))]
    assert is_news(rollout, told) is news
    assert is_news(told[0], [])


def test_our_own_words_are_told_in_chinese_and_the_clusters_as_they_are() -> None:
    text = Rollout(0, 2, ("ErrImagePull: no such host", why_not_ready({"status": {"phase": "Pending"}}))).text
    assert text.en == "0 of 2 pods ready: ErrImagePull: no such host; waits for a node"
    assert text.zh == "2 个 Pod 中 0 个就绪：ErrImagePull: no such host；等待分配节点"


def test_what_helm_installed_is_left_to_helm(cluster: DevCluster, namespace: str) -> None:
    async def body(api: ManifestApi, settings: InstallSettings) -> None:
        labels = {"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "nfs-client"}
        metadata = {"name": settings.name, "namespace": namespace, "labels": labels}
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
        await api.apply(account, manager="helm")
        with pytest.raises(Stopped, match=f"`helm -n {namespace} uninstall nfs-client`"):
            await uninstall(api, name=settings.name, namespace=namespace, told=lambda _: None)
        assert await api.read(place("v1", "ServiceAccount", settings.name, namespace))

    run(cluster, namespace, body)


def test_objects_of_that_name_that_somebody_else_made_are_left_alone(cluster: DevCluster, namespace: str) -> None:
    async def body(api: ManifestApi, settings: InstallSettings) -> None:
        metadata = {"name": f"{settings.name}-metrics", "namespace": namespace}
        spec = {"ports": [{"port": 80, "protocol": "TCP"}], "selector": {"app": "other"}}
        await api.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}, manager="other")
        with pytest.raises(Stopped, match="nothing that"):
            await uninstall(api, name=settings.name, namespace=namespace, told=lambda _: None)
        assert await api.read(place("v1", "Service", metadata["name"], namespace))

    run(cluster, namespace, body)


def test_a_name_that_it_answers_to_is_not_lost_unless_somebody_says_so(cluster: DevCluster, namespace: str) -> None:
    async def body(api: ManifestApi, settings: InstallSettings) -> None:
        (own,) = settings.provisioners
        taken = replace(settings, provisioners=(own, "cluster.local/old", "fuseim.pri/ifs"))
        await installing(api, taken, patience=0)
        with pytest.raises(Stopped, match=r"answers to cluster\.local/old, fuseim\.pri/ifs, ") as stopped:
            await installing(api, replace(settings, image="berth:next"), patience=0)
        for text in (stopped.value.text.en, stopped.value.text.zh):
            assert f"`--provisioner-name {own},cluster.local/old,fuseim.pri/ifs`" in text
            assert f"`--provisioner-name {own}`" in text
        there = await api.read(place("apps/v1", "Deployment", settings.name, namespace))
        assert there["spec"]["template"]["spec"]["containers"][0]["image"] == settings.image
        assert await names_answered_to(api, settings.name, namespace) == taken.provisioners
        more = replace(taken, provisioners=(*taken.provisioners, "a.example/one-more"))
        await installing(api, more, patience=0)
        await install(
            api, settings, PERMISSIONS, patience=0, told=lambda _: None, progress=lambda _: None, gives_names_up=True
        )
        assert await names_answered_to(api, settings.name, namespace) == (own,)

    run(cluster, namespace, body)


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
    assert why_not_ready({"status": status}) == why
