"""Controllers as processes on the real cluster, each test with a site of its own (site.py)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from berth.manifests.rbac import rbac_manifests
from berth.programs.controller import PERMISSIONS
from devcluster.cluster import DevCluster
from tests.e2e.api import Api
from tests.e2e.site import Site

ACCOUNT, ACCOUNT_NAMESPACE = "berth", "berth-e2e"


@pytest.fixture(scope="session")
def api(cluster: DevCluster) -> Api:
    """The administrator's access to the cluster."""
    return Api(cluster.kubeconfig)


@pytest.fixture(scope="session")
def account(cluster: DevCluster) -> Path:
    """The kubeconfig of a ServiceAccount with the rights that Berth asks for and no others."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ACCOUNT_NAMESPACE}}
    manifests = [namespace, *rbac_manifests(PERMISSIONS, name=ACCOUNT, namespace=ACCOUNT_NAMESPACE)]
    listed = {"apiVersion": "v1", "kind": "List", "items": manifests}
    cluster.kubectl("apply", "-f", "-", input=json.dumps(listed))
    return cluster.service_account_kubeconfig(ACCOUNT_NAMESPACE, ACCOUNT)


@pytest.fixture(scope="module")
def make_site(
    cluster: DevCluster, api: Api, account: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Site]]:
    """Makes sites that last until the end of the module."""
    made: list[Site] = []

    def make() -> Site:
        namespace = f"e2e-{secrets.token_hex(4)}"
        api.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
        made.append(Site(cluster, api, account, namespace, tmp_path_factory.mktemp("site"), cluster.nfs))
        return made[-1]

    yield make
    for site in made:
        _close(site)


@pytest.fixture
def site(cluster: DevCluster, api: Api, account: Path, namespace: str, tmp_path: Path) -> Iterator[Site]:
    """A site of this test alone."""
    made = Site(cluster, api, account, namespace, tmp_path, cluster.nfs)
    yield made
    _close(made)


def _close(site: Site) -> None:
    codes = {controller.name: controller.stop() for controller in site.controllers}
    complaints = [
        line for controller in site.controllers if not controller.may_complain for line in controller.complaints
    ]
    site.close()
    assert not complaints, "\n".join(complaints)
    assert set(codes.values()) <= {None, 0}, codes


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows the logs of a failed test's controllers."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        sites = [value for value in item.funcargs.values() if isinstance(value, Site)]
        for controller in (one for site in sites for one in site.controllers):
            lines = controller.log.splitlines()[-60:]
            report.sections.append((f"log of controller {controller.name}", "\n".join(lines)))
    return report
