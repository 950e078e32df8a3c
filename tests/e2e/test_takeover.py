"""`berth takeover` on 500 volumes of two reference provisioners on one share: there, interrupted, and back again."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from devcluster.cluster import DevCluster
from tests.cli.command import PROGRAM, environment
from tests.e2e import api as paths
from tests.e2e.api import Api, Object
from tests.e2e.invariants import settle
from tests.e2e.kubelet import Kubelet
from tests.e2e.predecessor import MADE, Predecessor, Wanted, listing
from tests.e2e.site import FINALIZER, RECORDS, Site
from tests.e2e.waiting import until

SUBDIR_IMAGE = "registry.cn-beijing.aliyuncs.com/kubesphereio/nfs-subdir-external-provisioner:v4.0.2"
CLIENT_IMAGE = "quay.io/external_storage/nfs-client-provisioner:latest"
FLAT, NESTED, LABELLED = 350, 120, 30
"""Volumes of each layout."""


@dataclass
class Story:
    """What was seen at each stage, for the tests to judge."""

    site: Site
    subdir: Predecessor
    client: Predecessor
    flat: str
    nested: str
    labelled: str
    kubelet: Kubelet
    name: str
    cluster: DevCluster
    pvs: dict[str, Object] = field(default_factory=dict)
    answers: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)

    def argv(self, command: str, *arguments: str) -> list[str]:
        access = [f"--kubeconfig={self.cluster.kubeconfig}", "--timeout=40"]
        berth = [] if command == "revert" else [f"--name={self.name}", f"--namespace={self.site.namespace}-berth"]
        return [str(PROGRAM), "takeover", command, self.subdir.key, self.client.key, *access, *berth, *arguments]

    def berth(self, stage: str, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end, and remembers the answer."""
        argv = self.argv(command, *arguments)
        answer = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False, env=environment({}))
        self.answers[stage] = answer
        return answer

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts `apply`, whose lines can be read as they come."""
        env = environment({"PYTHONUNBUFFERED": "1"})
        return subprocess.Popen(self.argv("apply", "--yes", *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env=env)  # fmt: skip

    def versions(self) -> dict[str, str]:
        """The versions of every PV and claim: whoever changes one, changes it."""
        found = [*self.site.pvs(), *self.site.api.list(paths.claims(self.site.namespace))]
        return {one["metadata"]["name"]: one["metadata"]["resourceVersion"] for one in found}


@pytest.fixture(scope="module")
def story(
    cluster: DevCluster, api: Api, make_site: Callable[[], Site], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    """The whole way: plan, an apply that is interrupted, one that goes through, and life afterwards."""
    site = make_site()
    site.provisioners.clear()
    token = site.token
    subdir = Predecessor(site, f"{token}-nfs-subdir-external-provisioner", f"cluster.local/{token}-nfs-subdir",
                         image=SUBDIR_IMAGE, lock="Endpoints")  # fmt: skip
    client = Predecessor(
        site, f"{token}-provisioner", f"fuseim.pri/{token}", image=CLIENT_IMAGE, lock="Lease", replicas=2
    )
    name = f"berth-{token}"
    namespace = f"{site.namespace}-berth"
    kubelet = Kubelet(cluster, api, (namespace, name), tmp_path_factory.mktemp("kubelet"))
    flat = subdir.of_class({"archiveOnDelete": "true"})
    nested = client.of_class({"pathPattern": "${.PVC.namespace}/${.PVC.name}", "archiveOnDelete": "false"})
    labelled = client.of_class({"pathPattern": "teams/${.PVC.labels.team}/${.PVC.namespace}-${.PVC.name}"})
    made = Story(site, subdir, client, flat, nested, labelled, kubelet, name, cluster)
    _lay_out(made)
    kubelet.predecessors = (subdir, client)
    with kubelet:
        until("the old pods are ready", lambda: _is_ready(subdir) and _is_ready(client))
        _live(made)
        yield made
    complaints = [line for one in kubelet.controllers for line in one.complaints]
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")
    _remove_all(site)
    assert not complaints


def _remove_all(site: Site) -> None:
    """In two requests: one object after the other takes a while."""
    for pv in site.pvs():
        if pv["metadata"].get("finalizers", []) != ["kubernetes.io/pv-protection"]:
            site.patch_pv(pv["metadata"]["name"], metadata={"finalizers": ["kubernetes.io/pv-protection"]})
    site.api.request("DELETE", f"{paths.PVS}?labelSelector={MADE}={site.token}")
    site.api.delete(paths.claims(site.namespace))
    site.provisioners.clear()


def _is_ready(one: Predecessor) -> bool:
    status = one.deployment["status"]
    return bool(status.get("readyReplicas", 0) == one.deployment["spec"]["replicas"] > 0)


def _lay_out(story: Story) -> None:
    site = story.site
    pvs = story.subdir.provision(Wanted(f"flat-{n}", story.flat) for n in range(FLAT))
    pvs += story.client.provision(
        Wanted(f"nested-{n}", story.nested, f"{site.namespace}/nested-{n}") for n in range(NESTED)
    )
    pvs += story.client.provision(
        Wanted(f"labelled-{n}", story.labelled, f"teams/red/{site.namespace}-labelled-{n}", {"team": "red"})
        for n in range(LABELLED)
    )
    story.pvs = {pv["spec"]["claimRef"]["name"]: pv for pv in pvs}
    left = [f"archived-{site.namespace}-old-pvc-{secrets.token_hex(4)}", f"{site.namespace}/leaked-by-4.0.2",
            f"other-gone-pvc-{'0' * 8}-0000-0000-0000-{'0' * 12}"]  # fmt: skip
    for path in left:
        (site.root / path).mkdir(parents=True)
        (site.root / path / "precious").write_text(path)
        site.foreign.add(path)


def _live(story: Story) -> None:
    site, seen = story.site, story.seen
    seen["before"], seen["versions"] = listing(site.root), story.versions()
    story.berth("plan", "plan")
    story.berth("plan-json", "plan", "-o", "json")
    seen["untouched"] = (listing(site.root) == seen["before"], story.versions() == seen["versions"],
                         not (site.root / ".berth").exists())  # fmt: skip
    _interrupt(story)
    seen["interrupted"] = (story.subdir.deployment["spec"]["replicas"], story.client.deployment["spec"]["replicas"])
    _apply_amid_life(story)
    seen["records"] = len(list((site.root / RECORDS).glob("*.json")))
    seen["overlaps"] = list(story.kubelet.overlaps)
    after = story.versions()
    seen["changed"] = {name for name, version in seen["versions"].items() if after.get(name) != version}
    settle(site, deadline=60)
    story.berth("again", "apply", "--yes")
    _end_some(story)
    settle(site, deadline=60)


def _interrupt(story: Story) -> None:
    """Ctrl-C at the worst moment: the old ones are down, Berth has not got their names."""
    process = story.begin()
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("waiting until "):
            process.send_signal(signal.SIGINT)
            break
    rest, complaint = process.communicate(timeout=30)
    story.answers["interrupted"] = subprocess.CompletedProcess((), process.returncode, "".join(lines) + rest, complaint)


def _apply_amid_life(story: Story) -> None:
    """While nobody provisions, a claim is made and one is deleted."""
    process = story.begin()
    assert process.stdout is not None
    story.site.file_claim("amid", story.flat)
    story.site.delete_claim("flat-0", "nested-0")
    out, complaint = process.communicate(timeout=120)
    story.answers["apply"] = subprocess.CompletedProcess((), process.returncode, out, complaint)
    assert process.returncode == 0, f"{out}\n{complaint}"


def _end_some(story: Story) -> None:
    """Life afterwards: new claims of the old classes, and the ends of old volumes."""
    site = story.site
    story.seen["new"] = site.serve("new-nested", story.nested)
    site.delete_claim("flat-1", "nested-1", "labelled-1")
    for claim in ("flat-0", "nested-0", "flat-1", "nested-1", "labelled-1"):
        site.wait_gone(story.pvs[claim]["metadata"]["name"])


def path_of(story: Story, claim: str) -> str:
    return story.site.path_of(story.pvs[claim])


def test_a_plan_shows_everything_and_changes_nothing(story: Story) -> None:
    assert story.seen["untouched"] == (True, True, True)
    answer = story.answers["plan"]
    assert answer.returncode == 1, answer.stderr  # a directory is leaked
    assert f"{FLAT}/{FLAT}" in answer.stdout
    assert f"{NESTED + LABELLED}/{NESTED + LABELLED}" in answer.stdout
    leaked = f"{story.site.namespace}/leaked-by-4.0.2"
    assert f"1 directory that no PV points to, as deep as a class puts volumes: {leaked}" in answer.stdout
    assert f"{NESTED + LABELLED} volumes lie deeper than the share's root" in answer.stdout
    assert "needs selfLink" in answer.stdout
    assert "2 old provisioners work on it" in answer.stdout


def test_a_plan_is_data_for_programs(story: Story) -> None:
    (share,) = json.loads(story.answers["plan-json"].stdout)["shares"]
    assert share["share"] == f"{story.site.nfs.host}:{story.site.export}"
    assert {one["name"] for one in share["deployments"]} == {story.subdir.name, story.client.name}
    assert len(share["volumes"]) == FLAT + NESTED + LABELLED
    assert {one["end"] for one in share["volumes"]} == {"archive", "delete"}
    assert share["directories"]["leaked"] == [f"{story.site.namespace}/leaked-by-4.0.2"]


def test_interrupted_it_puts_the_old_ones_back_and_says_so(story: Story) -> None:
    answer = story.answers["interrupted"]
    assert answer.returncode == 130, answer
    assert story.seen["interrupted"] == (1, 2)
    assert f"{story.client.key} is back, scaled up to 2 pods as before" in answer.stdout
    assert "The old provisioner was put back" in answer.stderr
    assert "apply" not in answer.stderr, "the command that failed is no advice"


def test_it_takes_over_everything(story: Story) -> None:
    answer = story.answers["apply"]
    assert answer.returncode == 0, answer.stderr
    assert story.seen["overlaps"] == [], "Berth started while an old pod was there"
    # The volumes of the two claims that were deleted meanwhile may be gone by then.
    assert FLAT + NESTED + LABELLED - 2 <= story.seen["records"] <= FLAT + NESTED + LABELLED + 1
    assert "GONE" not in answer.stdout


def test_no_pv_and_no_claim_was_changed(story: Story) -> None:
    ended = {name for claim in ("flat-0", "nested-0") for name in (claim, story.pvs[claim]["metadata"]["name"])}
    assert story.seen["changed"] <= ended


def test_no_directory_was_changed(story: Story) -> None:
    ended = tuple(path_of(story, claim) for claim in ("flat-0", "flat-1", "nested-0", "nested-1", "labelled-1"))
    now = listing(story.site.root)
    lost = [path for path, what in story.seen["before"].items()
            if now.get(path) != what and not path.startswith(ended)]  # fmt: skip
    assert lost == []


def test_a_second_time_it_finds_all_done(story: Story) -> None:
    answer = story.answers["again"]
    assert answer.returncode == 0, answer.stderr
    assert "records: 0 written" in answer.stdout
    assert "nobody did" not in answer.stdout
    assert "created" not in answer.stdout


def test_claims_made_meanwhile_and_afterwards_are_served_where_the_old_one_would_have(story: Story) -> None:
    pv = story.site.wait_bound("amid")
    assert story.site.path_of(pv) == f"{story.site.namespace}-amid-{pv['metadata']['name']}"
    assert story.site.path_of(story.seen["new"]) == f"{story.site.namespace}/new-nested"


@pytest.mark.parametrize("claim", ["flat-0", "flat-1", "labelled-1"])
def test_old_volumes_are_archived_where_their_class_says_so(story: Story, claim: str) -> None:
    path = path_of(story, claim)
    assert not (story.site.root / path).exists()
    assert (story.site.root / f"archived-{path.replace('/', '-')}" / "sentinel").exists()


@pytest.mark.parametrize("claim", ["nested-0", "nested-1"])
def test_nested_volumes_are_deleted_and_leak_no_longer(story: Story, claim: str) -> None:
    assert not (story.site.root / path_of(story, claim)).exists()
    assert (story.site.root / story.site.namespace / "leaked-by-4.0.2" / "precious").exists()


def test_back_again_the_old_one_can_do_its_work_on_all_volumes(story: Story) -> None:
    site = story.site
    pv = site.wait_bound("amid")
    assert FINALIZER in pv["metadata"]["finalizers"]
    before = listing(site.root)
    answer = story.berth("revert", "revert", "--yes")
    assert answer.returncode == 0, answer.stderr
    assert _is_ready(story.subdir)
    assert _is_ready(story.client)
    assert story.client.deployment["spec"]["replicas"] == 2
    for one in (story.subdir, story.client):
        assert not any(key.startswith("berth.io/") for key in one.deployment["metadata"]["annotations"])
    assert listing(site.root) == before
    assert list((site.root / RECORDS).glob("*.json")) == []
    # With the finalizer, it could remove the directory, but its PV would never go.
    assert not [one for one in site.pvs() if FINALIZER in (one["metadata"].get("finalizers") or [])]
    assert f"{NESTED + LABELLED - 2} volumes lie deeper" in answer.stdout
    assert "kept: 2 volumes that Berth made in between" in answer.stdout
    again = story.berth("revert-again", "revert", "--yes", "--lang=zh")
    assert (again.returncode, again.stdout.strip()[:12]) == (0, "没有处于接管状态的制备器")
    assert story.berth("once more", "apply", "--yes").returncode == 0
    settle(site, deadline=60)


def test_what_must_be_mended_first_stops_it_before_anything_is_changed(site: Site, cluster: DevCluster) -> None:
    """Two old provisioners of one name, of which one serves a share that is not there."""
    name = f"cluster.local/{site.token}"
    one = Predecessor(site, "one", name, image=SUBDIR_IMAGE, lock="Endpoints")
    two = Predecessor(site, "two", name, image=SUBDIR_IMAGE, lock="Endpoints", export=f"{site.export}/nowhere")

    def berth(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [str(PROGRAM), "takeover", command, one.key, two.key, f"--kubeconfig={cluster.kubeconfig}", *arguments]
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=environment({}))

    plan = berth("plan", "-o", "json")
    assert plan.returncode == 2
    told = [
        [one["id"] for one in share["findings"] if one["severity"] == "failure"]
        for share in json.loads(plan.stdout)["shares"]
    ]
    assert sorted(told) == [["one-name-two-shares"], ["one-name-two-shares", "share-unreachable"]]
    answer = berth("apply", "--yes")
    assert answer.returncode == 2
    assert "scale down and delete the one that is not wanted" in answer.stderr
    assert "This run changed nothing, and no data is at risk" in answer.stderr
    assert [each.deployment["spec"]["replicas"] for each in (one, two)] == [1, 1]
    nobody_to_ask = berth("apply")
    assert nobody_to_ask.returncode == 2
    assert "STOP  share" in nobody_to_ask.stdout
