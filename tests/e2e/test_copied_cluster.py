"""A cluster restored from a backup beside its original, on the same share: it takes nothing away, and says so."""

from __future__ import annotations

import copy
import json
import shlex
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from berth.cli.main import cli
from devcluster.cluster import DevCluster
from devcluster.copied import CopiedCluster
from tests.e2e.api import Api
from tests.e2e.controller import Controller
from tests.e2e.invariants import settle
from tests.e2e.site import Site
from tests.e2e.waiting import until

ELECT = {
    "ENABLE_LEADER_ELECTION": "true",
    "BERTH_LEASE_DURATION": "6s",  # longer than the API server stands still while it is copied
    "BERTH_RENEW_DEADLINE": "5s",
    "BERTH_RESYNC": "1s",
}
SAID = "another controller uses this share under the same cluster UID"


def entry(site: Site) -> dict[str, Any] | None:
    """What the share says about who leads there."""
    for path in site.root.glob(".berth/clusters/*.leader"):
        values: dict[str, Any] = json.loads(path.read_text())
        return values
    return None


def in_the(copied: CopiedCluster, site: Site, directory: Path) -> Site:
    """The same site as the copy knows it."""
    twin = copy.copy(site)
    twin.api, twin.account = Api(copied.kubeconfig), copied.kubeconfig_like(site.account)
    twin.controllers, twin.sentinels, twin._classes, twin._directory = [], {}, [], directory
    return twin


def is_contested(controller: Controller) -> bool:
    return controller.metric("berth_share_contested") == 1


def contest(site: Site) -> str:
    """The Event that tells of it, on the lease."""
    lease = site.provisioner.replace("/", "-")

    def look() -> str:
        found = site.api.list("/api/v1/namespaces/berth-e2e/events", fieldSelector="reason=ShareContested")
        return next((one["message"] for one in found if one["involvedObject"]["name"] == lease), "")

    return until("the contest is told on the lease", look)


def test_it_takes_nothing_away_until_an_administrator_gives_it_the_share(
    site: Site, cluster: DevCluster, tmp_path: Path
) -> None:
    original = site.controller("original", **ELECT).start()
    of_class = site.make_class(site.parameters(onDelete="delete"))
    kept = site.serve("kept", of_class)
    site.plant(kept)
    until("the leader has entered itself", lambda: entry(site))
    with cluster.copy() as copied:
        twin = in_the(copied, site, tmp_path / "copied")
        before = entry(site)
        # The original goes on: its lease, its entry, and a volume that the copy knows nothing of.
        young = site.serve("young", of_class)
        until("the leader has entered itself anew", lambda: entry(site) != before)
        restored = twin.controller("restored", **ELECT).start()
        twin.delete_claim("kept")
        told = twin.wait_event(kept["metadata"]["name"], "VolumeFailedDelete", kind="PersistentVolume", having=SAID)
        until("both say that the share is contested", lambda: is_contested(restored) and is_contested(original))
        assert site.directory_of(kept).is_dir()
        assert site.directory_of(young).is_dir()  # empty, and an orphan to all that the copy knows
        assert site.record(young["metadata"]["name"]).exists()

        new = twin.serve("new", of_class)  # claims are served all the same
        assert site.directory_of(new).is_dir()
        site.delete_claim("young")  # and the original goes on with what is its own
        site.wait_gone(young["metadata"]["name"])
        site.wait_purged(young["metadata"]["name"])
        assert site.directory_of(new).is_dir()

        explained = CliRunner().invoke(cli, ["doctor", "explain", "-o", "json", "-"], input=told["message"])
        (finding,) = [one for one in json.loads(explained.stdout)["findings"] if one["id"] == "share-contested"]
        (command,) = [each for each in finding["commands"] if " annotate " in each]
        assert contest(twin).endswith(command.partition("annotate")[2])
        twin.controllers[0].stop()

        # The copy is given up, and the original keeps the share: the command that it printed itself says so.
        command = contest(site).rpartition(" to keep it: ")[2]
        cluster.kubectl(*shlex.split(command)[1:])
        until("the share is the original's alone", lambda: not is_contested(original))
        twin.api.delete(f"/api/v1/persistentvolumes/{new['metadata']['name']}")
    until("what the copy had made is tidied away", lambda: not site.directory_of(new).exists())
    assert (site.directory_of(kept) / "sentinel").exists()
    settle(site)


def test_a_copy_that_is_given_the_share_goes_on_and_its_original_holds(
    site: Site, cluster: DevCluster, tmp_path: Path
) -> None:
    original = site.controller("original", **ELECT).start()
    of_class = site.make_class(site.parameters(onDelete="delete"))
    kept = site.serve("kept", of_class)
    until("the leader has entered itself", lambda: entry(site))
    with cluster.copy() as copied:
        twin = in_the(copied, site, tmp_path / "copied")
        before = entry(site)
        until("the leader has entered itself anew", lambda: entry(site) != before)
        restored = twin.controller("restored", **ELECT).start()
        command = contest(twin).rpartition(" to keep it: ")[2]
        cluster.kubectl(*shlex.split(command)[1:], kubeconfig=copied.kubeconfig)
        until("the share is the copy's", lambda: not is_contested(restored) and is_contested(original))
        site.delete_claim("kept")
        site.wait_event(kept["metadata"]["name"], "VolumeFailedDelete", kind="PersistentVolume", having=SAID)
        assert site.directory_of(kept).is_dir()
        original.stop()
        twin.delete_claim("kept")
        twin.wait_gone(kept["metadata"]["name"])
        twin.wait_purged(kept["metadata"]["name"])
        restored.stop()
