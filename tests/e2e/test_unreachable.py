"""A share that can't be reached: the claim's Event says which step failed, others are served meanwhile, and the claim
is served once the share is back.
"""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from devcluster.ganesha import Export, GaneshaServer
from devcluster.ports import free_loopback_address, free_port
from tests.e2e.site import Site
from tests.e2e.trees import tree
from tests.e2e.waiting import until

PROMPT = 20.0
"""Seconds within which claims of other shares are served."""


@pytest.fixture(scope="module")
def site(make_site: Callable[[], Site]) -> Site:
    """One site with one controller, which takes a server for down after a second."""
    made = make_site()
    made.controller(BERTH_SHARE_TIMEOUT="1s").start()
    return made


@pytest.fixture(scope="module")
def good(site: Site) -> str:
    return site.make_class(site.parameters(onDelete="delete"))


@pytest.fixture
def server() -> Iterator[GaneshaServer]:
    """An NFS server of this test's own, to be hurt."""
    with GaneshaServer(exports=[Export("/export"), Export("/squashed", squash="root_squash")]) as running:
        yield running


@pytest.fixture
def silent() -> Iterator[tuple[str, int]]:
    """Host and port of a server that takes connections and reads nothing."""
    host = free_loopback_address()
    port = free_port(host)
    with socket.create_server((host, port), backlog=128):
        yield host, port


def file_beside_a_good_one(site: Site, good: str, of_class: str) -> str:
    """Files a claim that has to wait, and one that must not notice. Returns the former's name."""
    name = f"stuck-{secrets.token_hex(4)}"
    site.file_claim(name, of_class)
    begin = time.monotonic()
    site.serve(f"good-{secrets.token_hex(4)}", good)
    assert time.monotonic() - begin < PROMPT
    return name


def check_told(site: Site, name: str, stage: str, *words: str) -> None:
    """The claim was told which step failed, in one sentence."""
    event = site.wait_event(name, "ProvisioningFailed", having=f"{stage} failed")
    assert event["type"] == "Warning"
    for word in words:
        assert word in event["message"]
    assert "\n" not in event["message"]
    assert site.pvs() == [pv for pv in site.pvs() if pv["spec"]["claimRef"]["name"] != name]


def stage_metric(site: Site, share: str, stage: str) -> float:
    (controller,) = site.controllers
    return controller.metric("berth_share_errors_total", share=share, stage=stage)


def test_an_unknown_host(site: Site, good: str) -> None:
    of_class = site.make_class({"server": "no-such-server.invalid", "share": "/export"})
    name = file_beside_a_good_one(site, good, of_class)
    check_told(site, name, "dns", "no-such-server.invalid:/export")


def test_a_port_that_nobody_listens_on(site: Site, good: str) -> None:
    host = free_loopback_address()
    port = free_port(host)
    of_class = site.make_class({"server": host, "share": "/export"}, mount_options=["nfsvers=4", f"port={port}"])
    name = file_beside_a_good_one(site, good, of_class)
    check_told(site, name, "connect", f"{host}:/export")


@pytest.mark.parametrize("version", ["3", "4"])
def test_a_path_that_is_not_exported(site: Site, good: str, version: str) -> None:
    options = [*site.nfs.mount_options(version), f"nfsvers={version}"]
    of_class = site.make_class({"server": site.nfs.host, "share": "/nowhere"}, mount_options=options)
    name = file_beside_a_good_one(site, good, of_class)
    check_told(site, name, "mount", f"{site.nfs.host}:/nowhere")


@pytest.mark.parametrize("version", ["3", "4"])
def test_a_directory_that_is_exported_later(site: Site, good: str, version: str) -> None:
    late = f"late-{secrets.token_hex(4)}"
    options = [*site.nfs.mount_options(version), f"nfsvers={version}"]
    of_class = site.make_class({"server": site.nfs.host, "share": f"{site.export}/{late}"}, mount_options=options)
    name = file_beside_a_good_one(site, good, of_class)
    check_told(site, name, "mount")
    assert not (site.root / late).exists()
    (site.root / late).mkdir()
    (site.root / late).chmod(0o777)
    site.wait_bound(name)


def test_a_server_without_the_right_to_write_there(site: Site, good: str, server: GaneshaServer) -> None:
    root = server.directory_of("/squashed")
    root.chmod(0o755)
    of_class = site.make_class(
        {"server": server.host, "share": "/squashed", "pathPattern": "${.PVC.name}"},
        mount_options=server.mount_options(),
    )
    name = file_beside_a_good_one(site, good, of_class)
    check_told(site, name, "permission", f"{server.host}:/squashed")
    assert tree(root) == {}
    root.chmod(0o777)
    site.wait_bound(name)
    assert (root / name).is_dir()


def test_a_claim_that_goes_while_its_volume_can_not_be_finished_leaves_nothing(
    site: Site, good: str, server: GaneshaServer
) -> None:
    root = server.directory_of("/squashed")
    (root / "team").mkdir(mode=0o755)
    parameters = {"server": server.host, "share": "/squashed", "pathPattern": "team/${.PVC.name}"}
    of_class = site.make_class(parameters, mount_options=server.mount_options())
    name = file_beside_a_good_one(site, good, of_class)
    check_told(site, name, "permission")
    records = root / ".berth" / "volumes"
    assert len(list(records.iterdir())) == 1
    site.delete_claim(name)
    until("its record is gone", lambda: not list(records.iterdir()))
    assert list((root / "team").iterdir()) == []


def test_a_server_that_never_answers(site: Site, good: str, silent: tuple[str, int]) -> None:
    host, port = silent
    of_class = site.make_class({"server": host, "share": "/export"}, mount_options=["nfsvers=4", f"port={port}"])
    names = [file_beside_a_good_one(site, good, of_class) for _ in range(3)]
    for name in names:
        check_told(site, name, "timeout", f"{host}:/export")
    assert stage_metric(site, f"{host}:/export", "timeout") > 0


def test_more_claims_of_a_silent_server_than_workers_hold_up_nobody(
    site: Site, good: str, silent: tuple[str, int]
) -> None:
    host, port = silent
    of_class = site.make_class({"server": host, "share": "/export"}, mount_options=["nfsvers=4", f"port={port}"])
    for number in range(100):  # the controller works on 32 claims at once
        site.file_claim(f"crowd-{number}", of_class)
    for _ in range(5):
        begin = time.monotonic()
        site.serve(f"good-{secrets.token_hex(4)}", good)
        assert time.monotonic() - begin < PROMPT
    site.delete_claim(*(f"crowd-{number}" for number in range(100)))


@pytest.mark.parametrize("how", ["stopped", "killed", "frozen"])
def test_a_server_that_comes_back(site: Site, good: str, server: GaneshaServer, how: str) -> None:
    of_class = site.make_class(
        {"server": server.host, "share": "/export", "onDelete": "delete"}, mount_options=server.mount_options()
    )
    first = site.serve(f"before-{secrets.token_hex(4)}", of_class)
    {"stopped": server.stop, "killed": server.kill, "frozen": server.pause}[how]()
    name = file_beside_a_good_one(site, good, of_class)
    check_told(site, name, "timeout" if how == "frozen" else "connect", f"{server.host}:/export")
    # The end of a volume waits as well, and is told on the PV.
    site.delete_claim(first["spec"]["claimRef"]["name"])
    site.wait_event(first["metadata"]["name"], "VolumeFailedDelete", kind="PersistentVolume", having="failed")
    if how == "frozen":
        server.resume()
    else:
        server.start()
    second = site.wait_bound(name)
    site.wait_gone(first["metadata"]["name"])
    assert server.root.joinpath(second["spec"]["nfs"]["path"].removeprefix("/export/")).is_dir()
