"""The controller killed at every single step of a volume's birth and end, and every single answer lost on its way.

A step is a change that the controller asks of the API server or of the NFS server (wire.py). Whatever the last one was,
the next process brings everything to its good end, and nothing is left behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from devcluster.cluster import DevCluster
from tests.e2e.controller import Controller
from tests.e2e.invariants import settle
from tests.e2e.site import Site
from tests.e2e.waiting import until
from tests.e2e.wire import Wire

MOST = 60
"""Steps that no birth and no end here needs."""


@dataclass(frozen=True, slots=True)
class Rig:
    """A site whose controller speaks through a wire."""

    site: Site
    wire: Wire
    controller: Controller


@pytest.fixture
def rig(cluster: DevCluster, site: Site) -> Iterator[Rig]:
    with Wire(cluster, cluster.nfs) as wire:
        controller = site.controller(KUBECONFIG=str(wire.kubeconfig(site.account))).start()
        yield Rig(site, wire, controller)


def through(
    rig: Rig,
    how: str,
    *,
    prepare: Callable[[str], None],
    begin: Callable[[str], object],
    is_over: Callable[[str], bool],
) -> list[str]:
    """Goes through one thing again and again, each time with its next step struck, until all steps were; the steps.

    All three are given the name of that round's claim.
    """
    for number in range(1, MOST):
        name = f"claim-{number}"
        prepare(name)
        rig.wire.arm(number, kill=rig.controller.kill if how == "killed" else None)
        begin(name)
        until(f"step {number} or the end", partial(_struck_or, rig.wire, is_over, name))
        struck, steps = rig.wire.has_struck, rig.wire.seen
        if not rig.controller.is_running:
            rig.controller.start()
        until(f"what was struck at step {number}, {steps[-1]}, is through", partial(is_over, name))
        settle(rig.site)
        if not struck:
            return steps
    raise AssertionError(f"{MOST} steps and no end: {steps}")


def _struck_or(wire: Wire, is_over: Callable[[str], bool], name: str) -> bool:
    return wire.has_struck or is_over(name)


@pytest.mark.parametrize("version", ["3", "4"])
@pytest.mark.parametrize("how", ["killed", "answer lost"])
def test_birth(rig: Rig, how: str, version: str) -> None:
    """Each claim is the first one on its share, so that Berth's own directory is made as well."""
    site, classes = rig.site, {}

    def prepare(name: str) -> None:
        for pv in site.pvs():
            site.delete_claim(pv["spec"]["claimRef"]["name"])
            site.wait_gone(pv["metadata"]["name"])
            site.wait_purged(pv["metadata"]["name"])
        site.move(f"{site.token}-{name}")
        parameters = {"server": rig.wire.host, "share": site.export, "onDelete": "delete"}
        classes[name] = site.make_class(parameters, mount_options=rig.wire.mount_options(version))

    def is_over(name: str) -> bool:
        claim = site.claim(name)
        return claim is not None and claim["status"].get("phase") == "Bound"

    steps = through(rig, how, prepare=prepare, begin=lambda name: site.file_claim(name, classes[name]), is_over=is_over)
    assert len(steps) > 5
    assert steps[-1] == "POST /api/v1/persistentvolumes"


@pytest.mark.parametrize(
    ("end", "how", "version"),
    [
        # A kill costs a start: each end once, and each version. Lost answers are cheap.
        ("delete", "killed", "3"),
        ("archive", "killed", "4"),
        ("retain", "killed", "3"),
        *((end, "answer lost", version) for end in ("delete", "archive", "retain") for version in ("3", "4")),
    ],
)
def test_end(rig: Rig, how: str, end: str, version: str) -> None:
    site = rig.site
    of_class = site.make_class(
        {"server": rig.wire.host, "share": site.export, "onDelete": end}, mount_options=rig.wire.mount_options(version)
    )
    site.plant(site.serve("bystander", of_class))
    names = {}

    def prepare(name: str) -> None:
        pv = site.serve(name, of_class)
        names[name] = pv["metadata"]["name"]
        text = site.plant(pv)
        (site.directory_of(pv) / "below").mkdir()
        (site.directory_of(pv) / "below" / "file").write_text(text)

    def is_over(name: str) -> bool:
        is_settled = end == "retain" or not site.record(names[name]).exists()
        return is_settled and site.pv(names[name]) is None

    steps = through(rig, how, prepare=prepare, begin=site.delete_claim, is_over=is_over)
    assert any(step.startswith("DELETE /api/v1/persistentvolumes/") for step in steps)
