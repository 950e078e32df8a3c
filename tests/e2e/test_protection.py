"""PVs go, whoever else has a hand in their finalizers: the PV protection controller, somebody with kubectl, a stranger.

None stands there Terminating for ever, and none goes before it is decided what becomes of its directory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from devcluster.cluster import DevCluster
from tests.e2e import api
from tests.e2e.api import Api, ApiError, Object
from tests.e2e.invariants import settle
from tests.e2e.site import FINALIZER, TRASH, Site
from tests.e2e.waiting import until
from tests.e2e.wire import Wire

PROTECTION = "kubernetes.io/pv-protection"
FOREIGN = "tests.example/hold"


@pytest.fixture
def wire(cluster: DevCluster) -> Iterator[Wire]:
    with Wire(cluster, cluster.nfs) as made:
        yield made


def wired(site: Site, wire: Wire) -> str:
    """A controller that does all over a wire, and a class for it."""
    site.controller(KUBECONFIG=str(wire.kubeconfig(site.account))).start()
    parameters = {"server": wire.host, "share": site.export, "onDelete": "delete"}
    return site.make_class(parameters, mount_options=wire.mount_options("4"))


def about_pvs(verb: str) -> Callable[[str], bool]:
    return lambda message: message.startswith(f"{verb} {api.PVS}/")


def finalizers(pv: Object | None) -> list[str]:
    return list(pv["metadata"].get("finalizers") or ()) if pv else []


def put(client: Api, pv: Object, wanted: list[str]) -> int:
    """Writes a PV back with these finalizers, as a controller does that has read it; the answer's code."""
    try:
        name = pv["metadata"]["name"]
        client.request("PUT", f"{api.PVS}/{name}", {**pv, "metadata": {**pv["metadata"], "finalizers": wanted}})
    except ApiError as error:
        return error.code
    return 200


@pytest.mark.parametrize("left", [[FINALIZER], [PROTECTION, FINALIZER, FOREIGN]], ids=["taken off", "more put on"])
def test_what_others_do_to_its_finalizers_before_it_is_deleted(site: Site, wire: Wire, left: list[str]) -> None:
    pv = site.serve("before", wired(site, wire))
    name = pv["metadata"]["name"]
    deletion = wire.hold(about_pvs("DELETE"))
    site.delete_claim("before")
    deletion.wait_caught()
    # The controller manager can come in between with its own write, and then it is read again.
    until("they are written", lambda: put(site.api, site.api.request("GET", f"{api.PVS}/{name}"), left) == 200)
    deletion.let_go()
    if FOREIGN in left:
        until("only the foreign one holds it", lambda: finalizers(site.pv(name)) == [FOREIGN])
        site.patch_pv(name, metadata={"finalizers": None})
    site.wait_gone(name)
    site.wait_purged(name)
    settle(site)


def test_whoever_puts_the_protection_back_on_a_deleted_pv_is_too_late(site: Site, wire: Wire) -> None:
    pv = site.serve("after", wired(site, wire))
    name = pv["metadata"]["name"]
    deletion, patch = wire.hold(about_pvs("DELETE")), wire.hold(about_pvs("PATCH"))
    site.delete_claim("after")
    deletion.wait_caught()
    released = site.api.request("GET", f"{api.PVS}/{name}")
    deletion.let_go()
    patch.wait_caught()
    # Now it is deleted, and the controller manager may take the protection off: put it back, as one who read it before,
    # and as one who reads it now.
    assert put(site.api, released, [PROTECTION, FINALIZER]) == 409
    until("the controller manager has done its part", lambda: finalizers(site.pv(name)) == [FINALIZER])
    assert put(site.api, site.api.request("GET", f"{api.PVS}/{name}"), [PROTECTION, FINALIZER]) == 422
    patch.let_go()
    site.wait_gone(name)
    site.wait_purged(name)
    settle(site)


def test_many_go_while_somebody_takes_the_protection_off_and_puts_it_on_all_the_time(
    site: Site, cluster: DevCluster
) -> None:
    site.controller().start()
    of_class = site.make_class(site.parameters(onDelete="delete"))
    claims = [f"contested-{number}" for number in range(30)]
    for claim in claims:
        site.file_claim(claim, of_class)
    pvs = {site.wait_bound(claim)["metadata"]["name"] for claim in claims}
    quarrel, written = threading.Event(), [0]

    def contest() -> None:
        client = Api(cluster.kubeconfig)
        while not quarrel.is_set():
            for pv in client.list(api.PVS):
                if pv["metadata"]["name"] in pvs:
                    others = [each for each in finalizers(pv) if each != PROTECTION]
                    wanted = others if PROTECTION in finalizers(pv) else [PROTECTION, *others]
                    written[0] += put(client, pv, wanted) == 200

    rivals = [threading.Thread(target=contest) for _ in range(2)]
    for rival in rivals:
        rival.start()
    try:
        until("the quarrel is on", lambda: written[0] > 5)
        site.delete_claim(*claims)
        for name in pvs:
            site.wait_gone(name)
    finally:
        quarrel.set()
        for rival in rivals:
            rival.join()
    until("the trash is empty", lambda: not list((site.root / TRASH).iterdir()))
    settle(site)


def test_a_foreign_finalizer_keeps_the_pv_and_what_is_in_its_trash(site: Site) -> None:
    controller = site.controller().start()
    pv = site.serve("held", site.make_class(site.parameters(onDelete="delete")))
    name = pv["metadata"]["name"]
    text = site.plant(pv)
    site.patch_pv(name, metadata={"finalizers": [PROTECTION, FOREIGN, FINALIZER]})
    site.delete_claim("held")
    until("only the foreign one holds it", lambda: finalizers(site.pv(name)) == [FOREIGN])
    trashed = site.root / TRASH / name
    assert (trashed / "sentinel").read_text() == text
    controller.stop()
    controller.start()  # what the old one knew is forgotten
    assert finalizers(site.pv(name)) == [FOREIGN]
    assert (trashed / "sentinel").read_text() == text
    site.sentinels.clear()
    site.patch_pv(name, metadata={"finalizers": None})
    site.wait_gone(name)
    if trashed.exists():  # the process that moved it there is gone, and the sweep of the next one finds it
        controller.stop()
        controller.start()
    site.wait_purged(name)
    settle(site)


def test_a_pv_deleted_by_hand_waits_until_its_directory_has_moved(site: Site, wire: Wire) -> None:
    pv = site.serve("by-hand", wired(site, wire))
    name = pv["metadata"]["name"]
    path = site.directory_of(pv)
    steps = len(wire.calls)
    site.delete_claim("by-hand")
    site.wait_gone(name)
    steps = wire.calls[steps:].index("RENAME")
    site.wait_purged(name)
    assert not path.exists()

    pv = site.serve("by-hand", pv["spec"]["storageClassName"])
    name, path = pv["metadata"]["name"], site.directory_of(pv)
    before = len(wire.calls)
    answer = wire.hold(lambda message: message == f"answer to call {before + steps - 1}")
    site.delete_claim("by-hand")
    answer.wait_caught()
    assert "RENAME" not in wire.calls[before:]
    site.api.delete(f"{api.PVS}/{name}")
    until("only Berth holds it", lambda: finalizers(site.pv(name)) == [FINALIZER])
    assert path.is_dir()
    answer.let_go()
    site.wait_gone(name)
    assert not path.exists()
    site.wait_purged(name)
    settle(site)


def test_one_that_was_deleted_by_hand_while_nobody_ran_goes_with_its_directory(site: Site) -> None:
    controller = site.controller().start()
    pv = site.serve("alone", site.make_class(site.parameters(onDelete="delete")))
    name = pv["metadata"]["name"]
    controller.stop()
    site.delete_claim("alone")
    site.wait_phase(name, "Released")
    site.api.delete(f"{api.PVS}/{name}")
    until("only Berth holds it", lambda: finalizers(site.pv(name)) == [FINALIZER])
    assert site.directory_of(pv).is_dir()
    controller.start()
    site.wait_gone(name)
    site.wait_purged(name)
    settle(site)
