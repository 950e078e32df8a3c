"""The API server or the NFS server goes away under load, and comes back: nothing is lost, nothing is left over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devcluster.cluster import DevCluster
from devcluster.ganesha import GaneshaServer
from tests.e2e.churn import Churn
from tests.e2e.controller import Controller
from tests.e2e.invariants import settle
from tests.e2e.site import Site
from tests.e2e.waiting import until

PASSES_ON_OUTAGES = {
    "BERTH_LEASE_DURATION": "30s",
    "BERTH_RENEW_DEADLINE": "25s",
    "ENABLE_LEADER_ELECTION": "true",
}
"""A lease that outlasts the outage: the process must live through it."""


def classes(site: Site) -> list[str]:
    return [site.make_class(site.parameters(onDelete=end)) for end in ("delete", "archive")]


def watched(site: Site) -> Controller:
    return site.controller(**PASSES_ON_OUTAGES).start()


def restart_api_server(cluster: DevCluster) -> None:
    cluster.apiserver.restart()


def kill_api_server(cluster: DevCluster) -> None:
    cluster.apiserver.kill()
    cluster.apiserver.start()


def kill_control_plane(cluster: DevCluster) -> None:
    cluster.etcd.kill()
    cluster.apiserver.kill()
    cluster.etcd.start()
    cluster.apiserver.start()


def wait_renewed(site: Site) -> None:
    """Returns once the leader has renewed its lease again."""
    name = site.provisioner.replace("/", "-")
    path = f"/apis/coordination.k8s.io/v1/namespaces/berth-e2e/leases/{name}"

    def renewed() -> object:
        found = site.api.get(path)
        assert found is not None
        return found["spec"]["renewTime"]

    before = renewed()
    until("the lease is renewed", lambda: renewed() != before)


def test_the_control_plane_goes_away_under_load(cluster: DevCluster, site: Site) -> None:
    controller = watched(site)
    ends = classes(site)
    kept = site.serve("kept", ends[0])
    site.plant(kept)
    with Churn(site, *ends) as churn:
        for strike in (restart_api_server, kill_api_server, kill_control_plane):
            churn.wait_more(10)
            strike(cluster)
            wait_renewed(site)  # three outages in a row would last longer than its lease
        churn.wait_more(10)
    # Its own watches can take half a minute to come back, and nobody is bound meanwhile.
    cluster.controller_manager.restart()
    settle(site, deadline=60)
    assert controller.process.is_running
    assert (site.directory_of(kept) / "sentinel").exists()


@pytest.fixture
def server() -> Iterator[GaneshaServer]:
    """An NFS server of this test's own, to be hurt."""
    with GaneshaServer() as running:
        yield running


@pytest.fixture
def site_there(site: Site, server: GaneshaServer) -> Site:
    """The site, with its share on that server."""
    site.nfs = server
    site.move(site.token)
    return site


@pytest.mark.parametrize("how", ["restarted", "killed", "frozen"])
def test_the_nfs_server_goes_away_under_load(site_there: Site, server: GaneshaServer, how: str) -> None:
    site = site_there
    controller = watched(site)
    ends = classes(site)
    kept = site.serve("kept", ends[0])
    site.plant(kept)
    with Churn(site, *ends) as churn:
        for _ in range(3):
            churn.wait_more(10)
            if how == "restarted":
                server.restart()
            elif how == "killed":
                server.kill()
                server.start()
            else:
                server.pause()
                churn.wait_more(5)
                until("it is taken for down", lambda: controller.metric("berth_share_errors_total", stage="timeout"))
                server.resume()
        churn.wait_more(10)
    settle(site, deadline=60)
    assert controller.process.is_running
    assert (site.directory_of(kept) / "sentinel").exists()
