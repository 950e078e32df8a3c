"""A leader that was stopped at the worst moment goes on when another one leads, and takes nothing away any more."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster.cluster import DevCluster
from tests.e2e import held
from tests.e2e.api import Object
from tests.e2e.controller import Controller
from tests.e2e.invariants import settle
from tests.e2e.site import Site
from tests.e2e.trees import tree
from tests.e2e.waiting import until
from tests.e2e.wire import Wire

ELECT = {
    "ENABLE_LEADER_ELECTION": "true",
    "BERTH_LEASE_DURATION": "6s",
    "BERTH_RENEW_DEADLINE": "5.5s",
    "BERTH_RETRY_PERIOD": "0.3s",
    "BERTH_SHARE_TIMEOUT": "5.9s",
}
NOBODY = "192.0.2.1"
"""An NFS server that can't be reached: what works here works through the mount."""


class Bout:
    """An old leader, a new one beside it, and a class whose claims of one name get one path."""

    def __init__(self, site: Site, old: Controller, new: Controller, of_class: str) -> None:
        self.site = site
        self.old = old
        self.old.may_complain = True  # it ends with an error
        self.new = new
        self.of_class = of_class
        site.foreign.add(site.namespace)

    def life_of_a_trial(self) -> None:
        """A claim comes and goes, so that the old leader knows all that there is to know of the share."""
        pv = self.site.serve("trial", self.of_class)["metadata"]["name"]
        self.before_its_end()
        self.site.delete_claim("trial")
        self.site.wait_gone(pv)
        self.site.wait_purged(pv)

    def before_its_end(self) -> None:
        """Called when a trial is about to be deleted."""

    def hand_over(self, first: Object) -> Object:
        """With the old leader stopped, the new one brings first to its end; the PV of another claim of its name."""
        self.new.wait_leading()
        self.site.wait_gone(first["metadata"]["name"])
        self.site.wait_purged(first["metadata"]["name"])
        second = self.site.serve("victim", self.of_class)
        assert self.site.path_of(second) == self.site.path_of(first)
        self.site.plant(second)
        return second

    def is_well(self, pv: Object) -> None:
        """The volume of a living claim is as it was."""
        name = pv["metadata"]["name"]
        assert (self.site.directory_of(pv) / "sentinel").exists()
        assert self.site.wait_phase(name, "Bound")["metadata"].get("deletionTimestamp") is None
        assert self.site.record(name).exists()
        settle(self.site)


class WiredBout(Bout):
    """One in which all that the old leader does goes over a wire."""

    def __init__(self, site: Site, wire: Wire, version: str) -> None:
        self.wire = wire
        self._begin = 0
        parameters = {"server": wire.host, "share": site.export, "pathPattern": "${.PVC.namespace}/${.PVC.name}"}
        options = wire.mount_options(version)
        of_class = site.make_class({**parameters, "onDelete": "delete"}, mount_options=options)
        old = site.controller("old", **{**ELECT, "KUBECONFIG": str(wire.kubeconfig(site.account))}).start()
        new = site.controller("new", **ELECT).start(wait=False)
        new.wait_logged("waiting to lead")
        super().__init__(site, old, new, of_class)

    def calls_before_the_rename(self) -> int:
        """How many NFS calls a release takes before it renames the directory, once all is known that there is."""
        self.life_of_a_trial()
        self.life_of_a_trial()
        return self.wire.calls[self._begin :].index("RENAME")

    def before_its_end(self) -> None:
        self._begin = len(self.wire.calls)

    def go_on(self, first: Object) -> None:
        """The old leader goes on after another one's work, and ends without having changed anything anywhere."""
        second = self.hand_over(first)
        self.wire.arm(0)
        self.old.process.resume()
        until("the old leader has ended", lambda: not self.old.is_running)
        assert self.old.process.exit_code == 2
        assert [change for change in self.wire.seen if "/leases/" not in change] == []
        self.is_well(second)


@pytest.fixture
def wire(cluster: DevCluster) -> Iterator[Wire]:
    with Wire(cluster, cluster.nfs) as made:
        yield made


@pytest.mark.parametrize("version", ["3", "4"])
def test_right_before_it_would_rename(site: Site, wire: Wire, version: str) -> None:
    bout = WiredBout(site, wire, version)
    steps = bout.calls_before_the_rename()
    first = site.serve("victim", bout.of_class)
    site.plant(first)
    # Its lease is no longer renewed, so that it runs out before the call's own deadline comes.
    renewals = wire.hold(lambda message: message.startswith("PUT ") and "/leases/" in message)
    renewals.wait_caught(2)
    last = len(wire.calls) + steps - 1
    answer = wire.hold(lambda message: message == f"answer to call {last}")
    site.delete_claim("victim")
    answer.wait_caught()
    bout.old.process.pause()
    answer.let_go()  # what it waited for lies there, and it has only to go on
    bout.go_on(first)


def test_right_before_it_would_delete_the_pv(site: Site, wire: Wire) -> None:
    bout = WiredBout(site, wire, "3")
    steps = bout.calls_before_the_rename()
    first = site.serve("victim", bout.of_class)
    renaming = len(wire.calls) + steps
    answer = wire.hold(lambda message: message == f"answer to call {renaming}")
    site.delete_claim("victim")
    answer.wait_caught()
    assert wire.calls[renaming] == "RENAME"
    bout.old.process.pause()
    answer.let_go()
    bout.go_on(first)


def test_right_before_it_would_take_the_finalizers_off(site: Site, wire: Wire) -> None:
    bout = WiredBout(site, wire, "3")
    first = site.serve("victim", bout.of_class)
    answer = wire.hold(lambda message: message.startswith("answer to DELETE ") and "/persistentvolumes/" in message)
    site.delete_claim("victim")
    answer.wait_caught()
    bout.old.process.pause()
    answer.let_go()
    bout.go_on(first)


def test_in_the_middle_of_a_purge(site: Site, wire: Wire) -> None:
    bout = WiredBout(site, wire, "4")
    first = site.serve("victim", bout.of_class)
    for number in range(300):
        (site.directory_of(first) / f"file-{number}").touch()
    begin = len(wire.calls)
    site.delete_claim("victim")
    until("the purge has begun", lambda: wire.calls[begin:].count("REMOVE") >= 20)
    bout.old.process.pause()
    bout.go_on(first)


def test_in_a_thread_of_a_mounted_share(site: Site, tmp_path: Path) -> None:
    """A thread is not cancelled by any deadline: when the process goes on, so does the thread, at once."""
    os.mkfifo(tmp_path / "go")
    quick = {**ELECT, "BERTH_LEASE_DURATION": "3s", "BERTH_RENEW_DEADLINE": "2s", "BERTH_SHARE_TIMEOUT": "2.9s"}
    old = mounted(site, tmp_path, "old", sys.executable, str(Path(held.__file__)), str(tmp_path), **quick).start()
    new = mounted(site, tmp_path, "new", **quick).start(wait=False)
    new.wait_logged("waiting to lead")
    of_class = site.make_class(
        {"server": NOBODY, "share": site.export, "pathPattern": "${.PVC.namespace}/${.PVC.name}", "onDelete": "delete"}
    )
    bout = Bout(site, old, new, of_class)
    bout.life_of_a_trial()
    first = site.serve("victim", of_class)
    (tmp_path / "armed").touch()
    site.delete_claim("victim")
    until("a thread is held", (tmp_path / "held").exists)
    old.process.pause()
    (tmp_path / "armed").unlink()
    go = os.open(tmp_path / "go", os.O_RDWR)  # the thread waits in opening it, and finds what is written
    os.write(go, b"!")
    second = bout.hand_over(first)
    before = tree(site.root)
    old.process.resume()
    until("the old leader has ended", lambda: not old.is_running)
    os.close(go)
    assert tree(site.root) == before
    bout.is_well(second)


def mounted(site: Site, folder: Path, name: str, *within: str, **settings: str) -> Controller:
    """A controller that has the site's share mounted."""
    script = 'mkdir -p "$2" && mount --bind "$1" "$2" && shift 2 && exec "$@"'
    mount = ["unshare", "--mount", "bash", "-c", script, "mount", str(site.root), str(folder / "persistentvolumes")]
    where = {"NFS_SERVER": NOBODY, "NFS_PATH": site.export, "BERTH_MOUNTED_AT": str(folder / "persistentvolumes")}
    return site.controller(name, within=[*mount, *within], **where, **settings)
