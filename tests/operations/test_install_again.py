"""Installing where Berth runs already: nothing is reset that nobody mentioned; what was asked for is done and told."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from berth.cli.install_options import asked_from
from berth.kube.errors import NotFound
from berth.kube.manifest import ManifestApi, place, place_of
from berth.manifests.classes import DEFAULT_KEYS
from berth.manifests.install import install_manifests
from berth.manifests.yaml_text import to_yaml
from berth.operations.asked import Asked, ClassAsked
from berth.operations.changes import FieldChange
from berth.operations.errors import Stopped
from berth.operations.install import install
from berth.programs.controller import WORKLOAD
from devcluster.cluster import DevCluster
from tests.operations.installing import (
    CLASS,
    Object,
    again,
    clearing,
    container_of,
    deployment_of,
    installing,
    make_class,
    plan,
    run,
    variables_of,
)

POD = "/spec/template/spec"
BY_HAND: list[dict[str, Any]] = [
    {"op": "replace", "path": f"{POD}/containers/0/image", "value": "r.example/berth:2"},
    {"op": "replace", "path": f"{POD}/containers/0/imagePullPolicy", "value": "Always"},
    {"op": "replace", "path": f"{POD}/containers/0/readinessProbe/periodSeconds", "value": 17},
    {"op": "replace", "path": f"{POD}/containers/0/resources", "value": {"limits": {"cpu": "2", "memory": "1Gi"}}},
    {"op": "replace", "path": f"{POD}/containers/0/ports/0/containerPort", "value": 9090},
    {"op": "add", "path": f"{POD}/containers/0/env/-", "value": {"name": "BERTH_LOG_LEVEL", "value": "debug"}},
    {"op": "add", "path": f"{POD}/containers/-", "value": {"name": "beside", "image": "sidecar:1"}},
    {"op": "add", "path": f"{POD}/imagePullSecrets", "value": [{"name": "registry"}]},
    {"op": "add", "path": f"{POD}/nodeSelector", "value": {"disk": "ssd"}},
    {"op": "replace", "path": "/spec/replicas", "value": 4},
    {"op": "replace", "path": "/spec/revisionHistoryLimit", "value": 9},
    {"op": "replace", "path": "/spec/strategy/rollingUpdate/maxSurge", "value": 2},
]


async def spec_of(api: ManifestApi, asked: Asked) -> dict[str, Object]:
    """All that people can have settled, of every object."""
    service = await api.read(place("v1", "Service", f"{asked.name}-metrics", asked.namespace))
    of_class = await api.read(place(CLASS, "StorageClass", asked.name))
    budget = await api.read(place("policy/v1beta1", "PodDisruptionBudget", asked.name, asked.namespace))
    return {
        "deployment": (await api.read(deployment_of(asked)))["spec"],
        "service": {"spec": service["spec"], "notes": service["metadata"]["annotations"]},
        "budget": budget["spec"],
        "class": {**of_class, "metadata": of_class["metadata"]["annotations"]},
    }


async def apply_printed(api: ManifestApi, cluster: DevCluster, asked: Asked, *options: str) -> None:
    """As with `berth install | kubectl apply -f -`."""
    manifests = install_manifests(replace(asked.fresh(), kubernetes=await api.version()), WORKLOAD)
    await asyncio.to_thread(cluster.kubectl, "apply", *options, "-f", "-", input=to_yaml(manifests))


@pytest.mark.parametrize("origin", ["installed", "as 0.1.0 did", "kubectl apply", "kubectl apply --server-side"])
def test_what_was_changed_by_hand_stays_however_often_it_is_repeated(cluster: DevCluster, origin: str) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        if origin.startswith("kubectl"):
            await apply_printed(api, cluster, asked, *origin.split()[2:])
        else:
            await installing(api, asked)
        if origin == "as 0.1.0 did":  # whose namespaces had no label
            no_labels = {"metadata": {"labels": None}}
            await api.merge(place("v1", "Namespace", asked.namespace), no_labels, manager="test")
        await asyncio.to_thread(
            cluster.kubectl, "-n", asked.namespace, "patch", "deployment", asked.name, "--type=json",
            "-p", json.dumps(BY_HAND),
        )  # fmt: skip
        scrape = {"metadata": {"annotations": {"prometheus.io/scrape": "false"}}}
        await api.merge(place("v1", "Service", f"{asked.name}-metrics", asked.namespace), scrape, manager="hand")
        notes = {"storageclass.kubesphere.io/allow-clone": "true", DEFAULT_KEYS[1]: "true", "own/note": "x"}
        more = {"metadata": {"annotations": notes}, "allowVolumeExpansion": False}
        await api.merge(place(CLASS, "StorageClass", asked.name), more, manager="hand")
        budget = place("policy/v1beta1", "PodDisruptionBudget", asked.name, asked.namespace)
        await api.merge(budget, {"spec": {"maxUnavailable": 3}}, manager="hand")
        before = await spec_of(api, asked)
        for _ in range(3):
            done = await installing(api, again(asked))
            assert (done.changes, {one.what for one in done.applied}) == ((), {"unchanged"})
            assert await spec_of(api, asked) == before

    run(cluster, body)


def test_what_is_said_wins_and_is_told_from_the_old_value_to_the_new(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        await installing(api, asked)
        by_hand = {"spec": {"template": {"spec": {"containers": [{"name": "berth", "image": "hand/berth:9"}]}}}}
        await asyncio.to_thread(
            cluster.kubectl, "-n", asked.namespace, "patch", "deployment", asked.name, "-p",
            json.dumps(by_hand),
        )  # fmt: skip
        said = {"image": "r.example/berth:3", "replicas": 1, "server": "10.0.0.7"}
        about = f"Deployment {asked.namespace}/{asked.name}"
        wanted = {
            FieldChange(about, "image", "hand/berth:9", "r.example/berth:3"),
            FieldChange(about, "replicas", "2", "1"),
            FieldChange(about, "env NFS_SERVER", "nfs.example.com", "10.0.0.7"),
            FieldChange(f"PodDisruptionBudget {asked.namespace}/{asked.name}", "", "", "-"),
        }
        done = await installing(api, again(asked, **said))
        assert set(done.changes) == wanted
        container, variables = await container_of(api, asked), await variables_of(api, asked)
        assert (container["image"], variables["NFS_SERVER"]) == ("r.example/berth:3", "10.0.0.7")
        assert variables["NFS_PATH"] == "/srv"
        with pytest.raises(NotFound):  # there is nothing to spread
            await api.read(place("policy/v1beta1", "PodDisruptionBudget", asked.name, asked.namespace))
        assert (await installing(api, again(asked, **said))).changes == ()

    run(cluster, body)


def test_settings_that_come_from_elsewhere_stay_there(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        await installing(api, asked)
        source = {"configMapKeyRef": {"name": "share", "key": "server"}}
        names = list(await variables_of(api, asked))
        patch = [
            {
                "op": "replace",
                "path": f"{POD}/containers/0/env/{names.index(one)}",
                "value": {"name": one, "valueFrom": source},
            }
            for one in ("NFS_SERVER", "PROVISIONER_NAME")
        ]
        await asyncio.to_thread(
            cluster.kubectl, "-n", asked.namespace, "patch", "deployment", asked.name, "--type=json",
            "-p", json.dumps(patch),
        )  # fmt: skip
        for _ in range(2):
            await installing(api, replace(again(asked), of_class=ClassAsked(is_none=True)))
            variables = await variables_of(api, asked)
            assert (variables["NFS_SERVER"], variables["NFS_PATH"]) == (source, "/srv")
            assert variables["PROVISIONER_NAME"] == source

    run(cluster, body)


def test_names_stay_and_go_only_when_others_are_said(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        (own,) = asked.settings["provisioners"]
        taken = (own, "cluster.local/old", "fuseim.pri/ifs")
        await installing(api, replace(asked, settings={**asked.settings, "provisioners": taken}))
        await installing(api, again(asked, image="berth:next"))
        assert (await variables_of(api, asked))["PROVISIONER_NAME"] == ",".join(taken)
        await installing(api, again(asked, provisioners=(own,)))
        assert (await variables_of(api, asked))["PROVISIONER_NAME"] == own
        with pytest.raises(
            Stopped, match=f"class {asked.name} has the provisioner {own}, to which nobody would"
        ) as told:
            await installing(api, again(asked, provisioners=("new.example/nfs",)))
        for text in (told.value.text.en, told.value.text.zh):
            assert f"`--provisioner-name new.example/nfs,{own}`" in text

    run(cluster, body)


def test_without_a_deployment_the_share_has_to_be_said_and_the_classes_are_still_known(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        with pytest.raises(Exception, match="--server: is missing, and no Berth runs as"):
            await installing(api, again(asked))
        with pytest.raises(NotFound):
            await api.read(place("v1", "Namespace", asked.namespace))
        await installing(api, asked)
        await api.remove(deployment_of(asked))
        with pytest.raises(Exception, match="--server: is missing"):
            await installing(api, again(asked))
        share = {key: asked.settings[key] for key in ("server", "export", "provisioners")}
        assert (await plan(api, again(asked, **share))).classes == (asked.name,)
        await installing(api, again(asked, **share))

    run(cluster, body)


def test_a_run_that_was_killed_anywhere_is_finished_by_the_same_command(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        asked = replace(asked, of_class=replace(asked.of_class, default=True))
        whole = [one.key for one in (await installing(api, asked)).applied]
        assert whole[0] == asked.namespace
        for number in range(len(whole)):
            alone = replace(asked, name=f"{asked.name}-{number}", namespace=f"{asked.name}-{number}")
            alone = replace(
                alone,
                settings={**asked.settings, "provisioners": (f"{alone.name}.example/nfs",)},
                of_class=replace(asked.of_class, name=alone.name),
            )
            async with clearing(api, alone):
                seen: list[Any] = []

                def told(one: Any, seen: list[Any] = seen, number: int = number) -> None:
                    seen.append(one)
                    if len(seen) > number:
                        raise KeyboardInterrupt

                with pytest.raises(KeyboardInterrupt):
                    await install(api, await plan(api, alone), patience=0, told=told, progress=lambda _: None)
                await installing(api, alone)
                for manifest in install_manifests(replace(alone.fresh(), kubernetes=(1, 20)), WORKLOAD):
                    assert await api.read(place_of(manifest))
                notes = (await api.read(place(CLASS, "StorageClass", alone.name)))["metadata"]["annotations"]
                assert [notes.get(key) for key in DEFAULT_KEYS] == ["true", "true"]

    run(cluster, body)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"provisioner": "another.example/nfs"}, "provisioner"),
        ({"parameters": {"archiveOnDelete": "false"}}, "archiveOnDelete=false"),
        ({"reclaimPolicy": "Retain"}, "reclaimPolicy Retain where Delete"),
        ({"mountOptions": ["hard"]}, "mountOptions"),
    ],
)
def test_a_class_in_the_way_stops_it_before_anything_is_changed(
    cluster: DevCluster, change: dict[str, Any], named: str
) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        fits = {"provisioner": asked.settings["provisioners"][0], "parameters": {"archiveOnDelete": "true"}}
        await make_class(api, asked.name, **{**fits, **change})
        try:
            with pytest.raises(Stopped, match=named) as stopped:
                await installing(api, asked)
            assert asked.name in stopped.value.text.zh
            with pytest.raises(NotFound):
                await api.read(place("v1", "Namespace", asked.namespace))
        finally:
            await api.remove(place(CLASS, "StorageClass", asked.name))

    run(cluster, body)


def test_a_class_that_others_made_and_that_fits_is_used_and_left_alone(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        own = asked.settings["provisioners"][0]
        await make_class(api, asked.name, own, parameters={"archiveOnDelete": "true"}, metadata={"labels": {"a": "b"}})
        where = place(CLASS, "StorageClass", asked.name)
        before = (await api.read(where))["metadata"]
        done = await installing(api, asked)
        assert {one.what for one in done.applied if one.kind == "StorageClass"} == {"kept"}
        assert (await api.read(where))["metadata"] == before
        async with clearing(api, asked):
            pass
        assert await api.read(where)
        await api.remove(where)

    run(cluster, body)


def test_which_of_several_classes_is_meant_has_to_be_said(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        second = f"{asked.name}-silver"
        await installing(api, asked)
        await installing(api, replace(again(asked), of_class=ClassAsked(name=second, parameters={"uid": "7"})))
        assert (await plan(api, again(asked))).classes == (asked.name, second)
        with pytest.raises(Stopped, match=f"has the classes {asked.name}, {second}; say with --class"):
            await installing(api, replace(again(asked), of_class=ClassAsked(default=True)))
        with pytest.raises(Stopped, match=f"class {second} already, with parameters archiveOnDelete=true, uid=7 where"):
            await installing(api, replace(again(asked), of_class=ClassAsked(name=second, parameters={"uid": "8"})))
        none = await plan(api, replace(again(asked), of_class=ClassAsked(is_none=True)))
        assert none.classes == ()
        for name in (asked.name, second):
            await api.remove(place(CLASS, "StorageClass", name))
        assert (await plan(api, again(asked))).classes == ()  # nobody asked for one

    run(cluster, body)


def test_the_default_is_set_as_by_the_command_for_it_and_stays_when_nobody_mentions_it(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        stable, beta = DEFAULT_KEYS
        old = {f"{asked.name}-s": {stable: "true"}, f"{asked.name}-b": {beta: "true"}}
        for name, notes in old.items():
            await make_class(api, name, metadata={"annotations": notes})
        try:
            wanted = replace(asked, of_class=replace(asked.of_class, default=True))
            planned = await plan(api, wanted)
            assert planned.default == asked.name
            assert set(old) <= set(planned.other_defaults)
            done = await installing(api, wanted)
            assert done.default is not None
            assert set(old) <= set(done.default.unset)
            for name, value in {**dict.fromkeys(old, "false"), asked.name: "true"}.items():
                notes = (await api.read(place(CLASS, "StorageClass", name)))["metadata"]["annotations"]
                assert [notes.get(key) for key in DEFAULT_KEYS] == [value, value]
            await installing(api, again(asked))
            assert (await plan(api, wanted)).other_defaults == ()
            other = f"{asked.name}-s"
            await api.merge(
                place(CLASS, "StorageClass", other), {"metadata": {"annotations": {stable: "true"}}}, manager="x"
            )
            assert (await installing(api, again(asked))).other_defaults == (other,)
        finally:
            for name in old:
                await api.remove(place(CLASS, "StorageClass", name))

    run(cluster, body)


def test_options_say_only_what_was_said() -> None:
    nothing: dict[str, Any] = {
        "server": None, "path": None, "class_name": None, "no_class": False, "default_class": False, "on_delete": None,
        "parameters": (), "reclaim_policy": None, "provisioner_name": None, "name": "a", "namespace": "b",
        "use_existing": False, "kubernetes_version": None, "mount_options": (), "mount": None, "image": None,
        "pull_secrets": (), "replicas": None, "reserved_port": None, "service_monitor": None, "prometheus_rule": None,
        "provisioner_capability": None,
    }  # fmt: skip
    assert asked_from(**nothing) == Asked("a", "b")
    assert not asked_from(**nothing).of_class.says_something
    assert asked_from(**{**nothing, "mount": False}).settings == {"mount": False}
