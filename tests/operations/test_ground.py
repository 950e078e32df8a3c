"""Where Berth may be installed: whoever owns its namespace owns its rights, so a name or a label proves nothing."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import helm_python as helm
import pytest

from berth.kube.errors import NotFound
from berth.kube.manifest import ManifestApi, place
from berth.manifests.labels import namespace_labels
from berth.operations.asked import Asked, ClassAsked
from berth.operations.errors import Stopped
from berth.operations.install import install
from berth.operations.uninstall import uninstall
from berth.operations.uninstall_plan import plan_uninstall
from berth.settings.install import InstallSettings
from devcluster.cluster import DevCluster
from tests.deploy.charts import CHART
from tests.operations.installing import RBAC, Object, again, clearing, deployment_of, installing, plan, run


async def make_namespace(api: ManifestApi, name: str, labels: dict[str, str] | None = None) -> None:
    metadata = {"name": name, "labels": labels or {}}
    await api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}, manager="tenant")


def of_berth(asked: Asked) -> dict[str, str]:
    return namespace_labels(InstallSettings(name=asked.name, namespace=asked.namespace))


async def bind(api: ManifestApi, kind: str, name: str, subject: Object, *, namespace: str = "", **labels: str) -> None:
    metadata: Object = {"name": name, "labels": labels, **({"namespace": namespace} if namespace else {})}
    await api.apply(
        {
            "apiVersion": RBAC, "kind": kind, "metadata": metadata, "subjects": [subject],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        },
        manager="test",
    )  # fmt: skip


async def assert_untouched(api: ManifestApi, asked: Asked) -> None:
    """No right was given, and nothing put anywhere."""
    for where in (
        place(RBAC, "ClusterRole", asked.name),
        place("v1", "ServiceAccount", asked.name, asked.namespace),
        place("storage.k8s.io/v1", "StorageClass", asked.name),
    ):
        with pytest.raises(NotFound):
            await api.read(where)


async def plain(api: ManifestApi, asked: Asked) -> None:
    await make_namespace(api, asked.namespace)


async def with_a_forged_label(api: ManifestApi, asked: Asked) -> None:
    await make_namespace(api, asked.namespace, {**of_berth(asked), "kubesphere.io/workspace": "tenants"})


async def with_a_tenant_let_in(api: ManifestApi, asked: Asked) -> None:
    await make_namespace(api, asked.namespace, of_berth(asked))
    eve = {"kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io"}
    await bind(api, "RoleBinding", "admin", eve, namespace=asked.namespace)


@pytest.mark.parametrize(
    ("found", "sign"),
    [
        (plain, "Berth did not make it"),
        (with_a_forged_label, "it belongs to KubeSphere's workspace tenants"),
        (with_a_tenant_let_in, "its RoleBinding admin lets User eve in"),
    ],
)
def test_a_namespace_of_others_is_refused_unless_the_administrator_says_so(
    cluster: DevCluster, found: Callable[[ManifestApi, Asked], Awaitable[None]], sign: str
) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        await found(api, asked)
        before = (await api.read(place("v1", "Namespace", asked.namespace)))["metadata"]
        with pytest.raises(Stopped, match=sign) as stopped:
            await installing(api, asked)
        for text in (stopped.value.text.en, stopped.value.text.zh):
            assert "--use-existing" in text
        await assert_untouched(api, asked)
        await installing(api, replace(asked, uses_namespace=True))
        # From now on an administrator's binding speaks for it.
        assert (await installing(api, again(asked))).changes == ()
        after = (await api.read(place("v1", "Namespace", asked.namespace)))["metadata"]
        assert (after.get("labels"), after["uid"]) == (before.get("labels"), before["uid"])

    run(cluster, body)


def test_a_namespace_that_berth_made_is_its_own_also_after_uninstalling(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        await installing(api, asked)
        labels = (await api.read(place("v1", "Namespace", asked.namespace)))["metadata"]["labels"]
        assert labels.items() >= of_berth(asked).items()
        gone = await plan_uninstall(api, name=asked.name, namespace=asked.namespace)
        await uninstall(api, gone, told=lambda _: None)
        assert not (await plan(api, asked)).makes_namespace
        await installing(api, asked)

    run(cluster, body)


def test_a_namespace_that_takes_a_name_for_which_there_is_a_binding_is_not_believed(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        account = {"kind": "ServiceAccount", "name": asked.name, "namespace": asked.namespace}
        labels = {"app.kubernetes.io/managed-by": "berth", "app.kubernetes.io/instance": asked.name}
        await bind(api, "ClusterRoleBinding", asked.name, account, **labels)
        await asyncio.sleep(1.1)  # the API server's clock of objects has seconds
        await make_namespace(api, asked.namespace)
        with pytest.raises(Stopped, match="Berth did not make it"):
            await installing(api, asked)
        await installing(api, replace(asked, uses_namespace=True))
        binding = await api.read(place(RBAC, "ClusterRoleBinding", asked.name))
        assert binding["roleRef"]["name"] == asked.name
        assert (await installing(api, again(asked))).changes == ()

    run(cluster, body)


def test_a_deployment_that_no_administrator_installed_gets_no_rights(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        """A tenant's, with Berth's name and labels and an image of his own; the administrator names the namespace."""
        await make_namespace(api, asked.namespace, of_berth(asked))
        labels = {**of_berth(asked), "app": "evil"}
        metadata = {"name": asked.name, "namespace": asked.namespace, "labels": labels}
        pod = {"containers": [{"name": "evil", "image": "evil/berth:1"}]}
        spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
        evil = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
        await api.apply(evil, manager="tenant")
        for uses_namespace in (False, True):
            with pytest.raises(Stopped, match="no ClusterRoleBinding says that an administrator installed it"):
                await installing(api, replace(asked, uses_namespace=uses_namespace))
        await assert_untouched(api, asked)

    run(cluster, body)


def test_a_namespace_that_somebody_makes_in_this_very_moment_is_his(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        planned = await plan(api, asked)
        assert planned.makes_namespace
        await make_namespace(api, asked.namespace)
        with pytest.raises(Stopped, match="somebody else has made namespace"):
            await install(api, planned, patience=0, told=lambda _: None, progress=lambda _: None)
        await assert_untouched(api, asked)

    run(cluster, body)


def test_where_there_is_none_the_flag_for_an_existing_one_is_an_error(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        with pytest.raises(Stopped, match=f"make it with `kubectl create namespace {asked.namespace}`"):
            await installing(api, replace(asked, uses_namespace=True))

    run(cluster, body)


def test_the_name_of_an_installation_elsewhere_is_not_taken(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        await installing(api, asked)
        with pytest.raises(Stopped, match=f"the installation {asked.name} is {asked.namespace}/{asked.name}, not"):
            await installing(api, replace(asked, namespace=f"{asked.namespace}-b"))
        with pytest.raises(NotFound):
            await api.read(place("v1", "Namespace", f"{asked.namespace}-b"))

    run(cluster, body)


def test_an_object_of_somebody_else_in_the_way_stops_it_before_anything_is_changed(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        await make_namespace(api, asked.namespace)
        metadata = {"name": f"{asked.name}-metrics", "namespace": asked.namespace}
        spec = {"ports": [{"port": 80, "protocol": "TCP"}], "selector": {"app": "other"}}
        await api.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}, manager="other")
        with pytest.raises(Stopped, match=f"there is a Service {asked.namespace}/{asked.name}-metrics already"):
            await installing(api, replace(asked, uses_namespace=True))
        await assert_untouched(api, asked)

    run(cluster, body)


def test_two_never_serve_one_name_and_a_claim_to_do_so_proves_nothing(cluster: DevCluster) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        (name,) = asked.settings["provisioners"]
        # A tenant's that calls itself Berth and answers to the name, without any right in the cluster: passed over.
        labels = {"app.kubernetes.io/name": "berth"}
        pod = {"containers": [{"name": "x", "image": "x", "env": [{"name": "PROVISIONER_NAME", "value": name}]}]}
        spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
        tenants = f"{asked.namespace}-tenant"
        await make_namespace(api, tenants)
        metadata = {"name": "fake", "namespace": tenants, "labels": labels}
        fake = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
        await api.apply(fake, manager="tenant")
        try:
            await installing(api, asked)
        finally:
            await api.remove(place("v1", "Namespace", tenants))
        second = replace(asked, name=f"{asked.name}-b", of_class=ClassAsked(is_none=True))
        with pytest.raises(
            Stopped, match=f"Berth runs as {asked.namespace}/{asked.name} already and answers to {name}"
        ):
            await installing(api, second)
        more = replace(second, settings={**asked.settings, "provisioners": ("another.example/nfs",)})
        async with clearing(api, replace(more, namespace=f"{asked.namespace}-b")):
            await installing(api, replace(more, namespace=f"{asked.namespace}-b"))

    run(cluster, body)


@pytest.fixture
def release(cluster: DevCluster, namespace: str) -> Any:
    """The chart, as KubeSphere's extension installs it: by Helm, under the name that `berth install` would take."""
    name = f"berth-{secrets.token_hex(4)}"
    config = helm.Config(kubeconfig_path=cluster.kubeconfig, namespace=namespace)
    of_class = {"name": name, "provisionerName": f"{name}.example/nfs"}
    with config:
        config.install(CHART, name, {"nfs": {"server": "nfs.example.com", "path": "/srv"}, "storageClass": of_class})
        yield name
        config.uninstall(name)


def test_what_helm_installed_is_left_to_helm(cluster: DevCluster, namespace: str, release: str) -> None:
    async def body(api: ManifestApi, asked: Asked) -> None:
        helms = replace(asked, name=release, namespace=namespace)
        before = await api.read(deployment_of(helms))
        own = replace(asked, settings={**asked.settings, "provisioners": (f"{release}.example/nfs",)})
        for wanted in (helms, replace(helms, uses_namespace=True), own):
            with pytest.raises(Stopped, match=rf"was installed by Helm \(release {release}\)") as stopped:
                await installing(api, wanted)
            assert f"`helm -n {namespace} get values {release}`" in stopped.value.text.zh
        after = await api.read(deployment_of(helms))
        assert after["metadata"]["generation"] == before["metadata"]["generation"]
        await assert_untouched(api, asked)
        # Its class is one that others made: used where it fits, and never Berth's to change.
        named = replace(asked, of_class=ClassAsked(name=release))
        with pytest.raises(Stopped, match=f"there is a class {release} already, with provisioner"):
            await installing(api, named)

    run(cluster, body)
