"""A share that answers slowly delays its own claims, and nobody else's: neither new ones, nor those that go or grow."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from benchmarks.slowlink import serve
from devcluster.ports import free_loopback_address, free_ports
from tests.e2e.site import Site
from tests.e2e.waiting import until

DELAY = 0.75
"""Seconds in each direction: every call takes twice that."""
CLAIMS = 160
FEW = CLAIMS // 4
"""What a slow share may have served of its own before the others are: in one line with it, they would come last."""


@pytest.fixture
def slow(site: Site) -> Iterator[tuple[str, list[str]]]:
    """Host of a server that is slow, and the mount options to reach it."""
    host = free_loopback_address()
    (port,) = free_ports(1, host)
    with socket.create_server((host, port), backlog=128) as listener:
        link = threading.Thread(target=serve, args=(listener, (site.nfs.host, site.nfs.port), DELAY), daemon=True)
        link.start()
        yield host, ["nfsvers=4", f"port={port}"]
        listener.shutdown(socket.SHUT_RDWR)
        link.join()


def test_a_slow_share_delays_only_its_own(site: Site, slow: tuple[str, list[str]]) -> None:
    host, options = slow
    site.controller(BERTH_SHARE_TIMEOUT="20s", BERTH_LEASE_DURATION="40s", BERTH_RENEW_DEADLINE="30s").start()
    quick = site.make_class(site.parameters(onDelete="delete"))
    directory = site.root / "slow"
    directory.mkdir()
    directory.chmod(0o777)
    straight = {"server": site.nfs.host, "share": f"{site.export}/slow"}
    site.serve("first", site.make_class(straight))  # `.berth/` is made quickly
    dull = site.make_class({**straight, "server": host}, mount_options=options)
    site.serve("grows", quick)
    leaves = site.serve("leaves", quick)
    for number in range(CLAIMS):
        site.file_claim(f"dull-{number}", dull)
    site.delete_claim("leaves")
    site.patch_claim("grows", spec={"resources": {"requests": {"storage": "2Gi"}}})
    for number in range(10):
        site.file_claim(f"quick-{number}", quick)
    for number in range(10):
        site.wait_bound(f"quick-{number}")
    site.wait_gone(leaves["metadata"]["name"])
    site.wait_purged(leaves["metadata"]["name"])
    until("it has grown", lambda: site.claim("grows")["status"]["capacity"]["storage"] == "2Gi")  # type: ignore[index]
    served = [pv for pv in site.pvs() if pv["spec"]["storageClassName"] == dull]
    assert len(served) < FEW, "the slow ones were served before the others"
    site.wait_bound("dull-0", deadline=90)
