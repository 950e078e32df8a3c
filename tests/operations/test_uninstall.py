"""Uninstalling: what goes and what stays is known before; what Berth did not make stays; a second run finishes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from berth.kube.manifest import ApiPlace, ManifestApi, place
from berth.objects.translation import FINALIZER
from berth.operations.asked import Asked, ClassAsked
from berth.operations.errors import Stopped
from berth.operations.uninstall import uninstall
from berth.operations.uninstall_plan import UninstallPlan, plan_uninstall
from devcluster.cluster import DevCluster
from tests.operations.installing import CLASS, installing, make_class, run

CLAIM = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}


async def planned(api: ManifestApi, asked: Asked) -> UninstallPlan:
    return await plan_uninstall(api, name=asked.name, namespace=asked.namespace)


async def make_pv(api: ManifestApi, asked: Asked, name: str, claim: str) -> None:
    """As Berth makes it, for a claim that is bound to it."""
    notes = {"pv.kubernetes.io/provisioned-by": asked.settings["provisioners"][0], "berth.io/share": "10.0.0.9:/other"}
    metadata = {"name": name, "annotations": notes, "finalizers": [FINALIZER]}
    spec = {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"], "storageClassName": asked.name,
        "claimRef": {"namespace": asked.namespace, "name": claim}, "nfs": {"server": "10.0.0.9", "path": "/other/x"},
    }  # fmt: skip
    pv = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec}
    await api.apply(pv, manager="test")
    await make_claim(api, asked, claim, storageClassName=asked.name, volumeName=name)
    where = place("v1", "PersistentVolumeClaim", claim, asked.namespace)
    await until_bound(api, where)


async def until_bound(api: ManifestApi, claim: ApiPlace) -> None:
    """Returns once a claim is Bound; the test's deadline ends it otherwise."""
    while True:
        if (await api.read(claim)).get("status", {}).get("phase") == "Bound":
            return
        await asyncio.sleep(0.1)


async def make_claim(api: ManifestApi, asked: Asked, name: str, **spec: Any) -> None:
    metadata = {"name": name, "namespace": asked.namespace}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": {**CLAIM, **spec}}
    await api.apply(claim, manager="test")


def test_the_plan_says_what_goes_what_stays_and_who_is_left_without_a_provisioner(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        asked = replace(asked, of_class=replace(asked.of_class, default=True))
        await installing(api, asked)
        others, pv = f"{asked.name}-others", f"{asked.name}-pv"
        await make_class(api, others, asked.settings["provisioners"][0])
        await make_pv(api, asked, pv, "bound")
        await make_claim(api, asked, "waits", storageClassName=others)
        await make_claim(api, asked, "none-of-ours", storageClassName="")
        try:
            plan = await planned(api, asked)
            here = f"{asked.namespace}/{asked.name}"
            assert plan.what_goes == [
                ("StorageClass", asked.name), ("PodDisruptionBudget", here), ("Service", f"{here}-metrics"),
                ("Deployment", here), ("NetworkPolicy", here), ("RoleBinding", here), ("Role", here),
                ("ClusterRoleBinding", asked.name),
                ("ClusterRole", asked.name), ("ServiceAccount", here),
            ]  # fmt: skip
            assert (plan.pvs, plan.held, plan.classes) == (1, 1, (others,))
            assert (plan.bound, plan.waiting) == ((f"{asked.namespace}/bound",), (f"{asked.namespace}/waits",))
            assert plan.shares == ("10.0.0.9:/other", "nfs.example.com:/srv")
            assert plan.lost_default == asked.name
            assert plan.keeps_namespace
            removed = await uninstall(api, plan, told=lambda _: None)
            assert [(one.kind, one.key) for one in removed] == plan.what_goes
            for where in (place("v1", "PersistentVolume", pv), place(CLASS, "StorageClass", others)):
                assert await api.read(where)
            claim = await api.read(place("v1", "PersistentVolumeClaim", "bound", asked.namespace))
            assert claim["status"]["phase"] == "Bound"
        finally:
            await api.remove(place(CLASS, "StorageClass", others))
            await api.merge(place("v1", "PersistentVolume", pv), {"metadata": {"finalizers": None}}, manager="test")
            await api.remove(place("v1", "PersistentVolume", pv))

    run(cluster, body)


def test_claims_that_another_goes_on_serving_are_not_called_left(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        await installing(api, asked)
        own = asked.settings["provisioners"][0]
        second = replace(asked, name=f"{asked.name}-b", of_class=ClassAsked(is_none=True), settings={
            **asked.settings, "provisioners": ("another.example/nfs",)})  # fmt: skip
        await installing(api, second)
        patch = [{"op": "add", "path": "/spec/template/spec/containers/0/env/0",
                  "value": {"name": "PROVISIONER_NAME", "value": f"another.example/nfs,{own}"}}]  # fmt: skip
        kubectl = ("-n", asked.namespace, "patch", "deployment", second.name, "--type=json", "-p")
        await asyncio.to_thread(cluster.kubectl, *kubectl, json.dumps(patch))
        await make_claim(api, asked, "waits", storageClassName=asked.name)
        plan = await planned(api, asked)
        assert (plan.provisioners, plan.waiting) == ((), ())
        await uninstall(api, await planned(api, second), told=lambda _: None)
        assert (await planned(api, asked)).waiting == (f"{asked.namespace}/waits",)

    run(cluster, body)


def test_interrupted_anywhere_a_second_run_finishes(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        await installing(api, asked)
        count = len((await planned(api, asked)).goes)
        for number in range(count):
            await installing(api, asked)
            seen: list[Any] = []

            def told(one: Any, seen: list[Any] = seen, number: int = number) -> None:
                seen.append(one)
                if len(seen) > number:
                    raise KeyboardInterrupt

            with pytest.raises(KeyboardInterrupt):
                await uninstall(api, await planned(api, asked), told=told)
            if number < count - 1:
                left = await planned(api, asked)
                assert len(left.goes) == count - number - 1
                await uninstall(api, left, told=lambda _: None)
            assert (await planned(api, asked)).goes == ()

    run(cluster, body)


def test_objects_that_somebody_else_made_are_left_alone(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        await installing(api, asked)
        plan = await planned(api, asked)
        metadata = {"name": f"{asked.name}-metrics", "namespace": asked.namespace}
        where = place("v1", "Service", metadata["name"], metadata["namespace"])
        # Made anew by somebody else after the plan was shown.
        await api.remove(where)
        spec = {"ports": [{"port": 80, "protocol": "TCP"}], "selector": {"app": "other"}}
        await api.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}, manager="other")
        removed = await uninstall(api, plan, told=lambda _: None)
        assert "Service" not in {one.kind for one in removed}
        assert await api.read(where)
        assert (await planned(api, asked)).goes == ()

    run(cluster, body)


def test_what_helm_installed_stops_it_before_anything_is_removed(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        await installing(api, asked)
        where = place("v1", "ServiceAccount", asked.name, asked.namespace)
        labels = {"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "nfs-client"}
        await api.merge(where, {"metadata": {"labels": labels}}, manager="helm")
        with pytest.raises(Stopped, match=f"`helm -n {asked.namespace} uninstall nfs-client`"):
            await planned(api, asked)
        await api.merge(where, {"metadata": {"labels": {"app.kubernetes.io/managed-by": "berth",
                        "app.kubernetes.io/instance": asked.name}}}, manager="helm")  # fmt: skip
        assert len((await planned(api, asked)).goes) == 10

    run(cluster, body)


def test_an_installation_elsewhere_is_not_taken_apart(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        await installing(api, asked)
        with pytest.raises(Stopped, match=f"the installation {asked.name} is {asked.namespace}/{asked.name}, not"):
            await planned(api, replace(asked, namespace="default"))

    run(cluster, body)
