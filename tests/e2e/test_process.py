"""The controller as a process: what it shows, what it may do, and how it ends."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from berth.manifests.rbac import rules
from berth.programs.controller import BURST, PERMISSIONS
from devcluster.cluster import DevCluster
from devcluster.ganesha import GaneshaServer
from tests.e2e import api
from tests.e2e.api import Object
from tests.e2e.controller import Controller
from tests.e2e.site import Site
from tests.e2e.waiting import until
from tests.e2e.wire import Wire

METRICS = {
    "controller_persistentvolumeclaim_provision_total",
    "controller_persistentvolumeclaim_provision_failed_total",
    "controller_persistentvolumeclaim_provision_duration_seconds",
    "controller_persistentvolume_delete_total",
    "controller_persistentvolume_delete_failed_total",
    "controller_persistentvolume_delete_duration_seconds",
    "workqueue_depth",
    "workqueue_adds_total",
    "workqueue_retries_total",
    "workqueue_queue_duration_seconds",
    "workqueue_work_duration_seconds",
    "rest_client_requests_total",
    "leader_election_master_status",
    "berth_share_operation_duration_seconds",
    "berth_share_errors_total",
    "berth_nfs_calls_total",
    "berth_claims_refused_total",
    "berth_purged_entries_total",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
}


@pytest.fixture
def server() -> Iterator[GaneshaServer]:
    """An NFS server of this test's own, to be hurt."""
    with GaneshaServer() as running:
        yield running


def test_what_it_shows_while_it_works(site: Site) -> None:
    controller = site.controller(ENABLE_LEADER_ELECTION="true").start()
    site.serve("served", site.make_class())
    assert controller.fetch("/healthz") == (200, "ok")
    assert controller.fetch("/readyz") == (200, "ok")
    _, text = controller.fetch("/metrics")
    told = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
    assert told >= METRICS
    lock = site.provisioner.replace("/", "-")
    assert controller.metric("leader_election_master_status", name=lock) == 1
    share = f"{site.nfs.host}:{site.export}"
    assert controller.metric("berth_share_operation_duration_seconds_count", share=share) > 0
    for queue in ("claims", "volumes"):
        assert controller.metric("workqueue_depth", name=queue) == 0


def test_one_claim_costs_at_most_three_requests(site: Site) -> None:
    controller = site.controller().start()
    of_class = site.make_class()
    site.serve("first", of_class)
    site.wait_event("first", "ProvisioningSucceeded")

    def requests() -> float:
        watches = controller.metric("rest_client_requests_total", method="watch")
        return controller.metric("rest_client_requests_total") - watches

    before = requests()
    for number in range(10):
        site.serve(f"claim-{number}", of_class)
        site.wait_event(f"claim-{number}", "ProvisioningSucceeded")
    assert requests() - before <= 30
    assert controller.metric("rest_client_requests_total", method="get") <= 1  # namespace kube-system, once


def test_in_a_burst_events_go_behind_the_pvs_and_none_is_lost(cluster: DevCluster, site: Site) -> None:
    number, workers, of_class = 200, 16, site.make_class()
    claims = [f"burst-{each}" for each in range(number)]
    for claim in claims:
        site.file_claim(claim, of_class)
    until("the controller manager asks for all", lambda: all(map(_is_asked_for, map(site.claim, claims))))
    made: list[str] = []

    def note(message: str) -> bool:
        made.append(message)
        return False

    with Wire(cluster, cluster.nfs) as wire:
        wire.hold(note)
        controller = site.controller(
            KUBECONFIG=str(wire.kubeconfig(site.account)), BERTH_CLAIM_WORKERS=str(workers)
        ).start()
        for claim in claims:
            site.wait_bound(claim)
        controller.stop()
    posts = [message for message in made if message.startswith("POST ") and message.endswith(("/events", api.PVS))]
    events = [at for at, message in enumerate(posts) if message.endswith("/events")]
    # When the first Event goes, fifty wait at most, and each worker has one in hand.
    assert events[0] >= number - BURST - workers
    assert len(events) == number
    told = site.api.list(api.events(site.namespace), fieldSelector="reason=ProvisioningSucceeded")
    assert {event["involvedObject"]["name"] for event in told} == set(claims)


def _is_asked_for(claim: Object | None) -> bool:
    annotations = (claim or {"metadata": {}})["metadata"].get("annotations", {})
    return "volume.beta.kubernetes.io/storage-provisioner" in annotations


def test_every_right_that_is_asked_for_is_one_that_is_used(site: Site) -> None:
    """The least that works: what is asked for beyond watching is seen to be used by a whole life of a claim."""
    controller = site.controller(ENABLE_LEADER_ELECTION="true").start()
    of_class = site.make_class(site.parameters(onDelete="delete"))
    pv = site.serve("whole", of_class)
    site.patch_claim("whole", spec={"resources": {"requests": {"storage": "2Gi"}}})
    site.wait_event("whole", "VolumeResizeSuccessful")
    site.delete_claim("whole")
    site.wait_gone(pv["metadata"]["name"])
    asked = [*rules(PERMISSIONS, own_namespace=False), *rules(PERMISSIONS, own_namespace=True)]
    unused = {
        f"{verb} {resource}"
        for rule in asked
        for resource in rule["resources"]
        for verb in rule["verbs"]
        if not controller.metric("rest_client_requests_total", method=verb, resource=resource)
    }
    # Watching includes the right to get, by custom; repeats of an Event are patched; the first lease was made.
    assert {one for one in unused if not one.startswith("get ")} <= {"patch events", "update leases", "create leases"}
    assert controller.metric("rest_client_requests_total", code="403") == 0


def in_flight(controller: Controller) -> bool:
    return controller.metric("workqueue_queue_duration_seconds_count", name="claims") > 0


def frozen(site: Site, server: GaneshaServer, controller: Controller) -> None:
    """A claim is in the controller's hands, and its NFS server does not answer."""
    parameters = {"server": server.host, "share": "/export"}
    of_class = site.make_class(parameters, mount_options=server.mount_options())
    server.pause()
    site.file_claim("in-flight", of_class)
    until("the claim is worked on", lambda: in_flight(controller))


def test_what_is_in_flight_is_finished_and_the_lease_given_back(site: Site, server: GaneshaServer) -> None:
    patient = {"BERTH_SHARE_TIMEOUT": "20s", "BERTH_LEASE_DURATION": "30s"}
    controller = site.controller(ENABLE_LEADER_ELECTION="true", **patient).start()
    frozen(site, server, controller)
    controller.process.signal(signal.SIGTERM)
    controller.wait_logged("stopping")
    assert controller.fetch("/readyz") == (503, "stopping")
    server.resume()
    until("the process has ended", lambda: not controller.is_running)
    assert controller.process.exit_code == 0
    site.wait_bound("in-flight")
    site.wait_event("in-flight", "ProvisioningSucceeded")
    lock = site.provisioner.replace("/", "-")
    lease = site.api.get(f"/apis/coordination.k8s.io/v1/namespaces/berth-e2e/leases/{lock}")
    assert lease is not None
    assert lease["spec"].get("holderIdentity", "") == ""


def test_a_second_signal_ends_it_at_once(site: Site, server: GaneshaServer) -> None:
    controller = site.controller(BERTH_SHARE_TIMEOUT="60s", BERTH_STOP_DEADLINE="60s").start()
    frozen(site, server, controller)
    controller.process.signal(signal.SIGINT)
    controller.wait_logged("stopping")
    controller.process.signal(signal.SIGINT)
    until("the process has ended", lambda: not controller.is_running, deadline=5)
    assert controller.process.exit_code == 128 + signal.SIGINT


def test_what_does_not_finish_in_time_is_let_go(site: Site, server: GaneshaServer) -> None:
    controller = site.controller(BERTH_SHARE_TIMEOUT="60s", BERTH_STOP_DEADLINE="1s").start()
    frozen(site, server, controller)
    controller.process.signal(signal.SIGTERM)
    until("the process has ended", lambda: not controller.is_running, deadline=15)
    assert controller.process.exit_code == 2
    controller.may_complain = True
    assert "did not finish within" in controller.lines[-1]["why"]
    assert site.pvs() == []
