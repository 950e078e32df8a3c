"""What bad input gets: an Event on the claim, in one sentence that names the field and what would work.

Nothing is created, on the share or in the cluster; a good claim that is filed at the same time does not notice.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as fresh
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import Site
from tests.e2e.trees import tree
from tests.e2e.waiting import until

PROMPT = 20.0
"""Seconds within which a good claim is served, whatever else is going on. Alone it takes a tenth of one."""


@dataclass(frozen=True, slots=True)
class Case:
    """A class and a claim of which one asks for what can't be had."""

    field: str
    """How the sentence begins."""
    advice: str
    """What is in it that helps."""
    parameters: dict[str, str] = fresh(default_factory=dict)
    claim: dict[str, Any] = fresh(default_factory=dict)
    of_class: dict[str, Any] = fresh(default_factory=dict)
    without: tuple[str, ...] = ()
    """Parameters of the share that this class leaves out."""


SIZE = "spec.resources.requests.storage"

CASES = {
    # Parameters.
    "unknown parameter": Case("parameter colour", "known are server, share, pathPattern", {"colour": "blue"}),
    "misspelled parameter": Case(
        "parameter archiveOnDelet", "did you mean archiveOnDelete?", {"archiveOnDelet": "true"}
    ),
    "parameter in other letters": Case("parameter ondelete", "did you mean onDelete?", {"ondelete": "retain"}),
    "onDelete that is none": Case("parameter onDelete", "delete, retain, archive", {"onDelete": "Delete"}),
    "archiveOnDelete that is no boolean": Case("parameter archiveOnDelete", '"true"', {"archiveOnDelete": "yes"}),
    "mode that is no octal number": Case("parameter directoryMode", "like 0770", {"directoryMode": "rwx"}),
    "mode that locks the owner out": Case("parameter directoryMode", "at least 0700", {"directoryMode": "0077"}),
    "two modes": Case("parameter mountPermissions", "keep one", {"directoryMode": "0770", "mountPermissions": "0777"}),
    "uid that is no number": Case("parameter uid", "a number from 0", {"uid": "nobody"}),
    "gid below zero": Case("parameter gid", "a number from 0", {"gid": "-1"}),
    "sharing that is none": Case("parameter sharedPaths", "deny, namespace, allow", {"sharedPaths": "yes"}),
    "size with a unit": Case("parameter maxSize", "GiB without a unit", {"maxSize": "10Gi"}),
    "minimum above maximum": Case("parameter minSize", "maxSize", {"minSize": "10", "maxSize": "5"}),
    "server with a path": Case("parameter server", "the path as share", {"server": "nfs.example:/srv"}),
    "server that is no name": Case("parameter server", "is not a host name", {"server": "nfs example"}),
    "relative export": Case("parameter share", "like /srv/nfs/k8s", {"share": "srv/nfs"}),
    "export with dots": Case("parameter share", "as the server exports it", {"share": "/srv/../etc"}),
    # Patterns.
    "pattern that is the share": Case("parameter pathPattern", "the root of the share", {"pathPattern": "/./"}),
    "pattern that climbs": Case("parameter pathPattern", "leads elsewhere", {"pathPattern": "../${.PVC.name}"}),
    "value that climbs": Case(
        "parameter pathPattern",
        "leads elsewhere",
        {"pathPattern": "x/${.PVC.annotations.where}/${.PVC.name}"},
        claim={"annotations": {"where": "../../etc"}},
    ),
    "value that would be left out": Case(
        "parameter pathPattern",
        "that names no directory",
        {"pathPattern": "${.PVC.namespace}/${.PVC.annotations.where}"},
        claim={"annotations": {"where": "/"}},
    ),
    "value with a line break": Case(
        "parameter pathPattern",
        "leave it out",
        {"pathPattern": "${.PVC.annotations.where}"},
        claim={"annotations": {"where": "a\nb"}},
    ),
    "pattern into Berth's own directory": Case(
        "parameter pathPattern", "begin it otherwise", {"pathPattern": ".berth/trash/${.PVC.name}"}
    ),
    "value into Berth's own directory": Case(
        "parameter pathPattern",
        "begin it otherwise",
        {"pathPattern": "${.PVC.annotations.where}/${.PVC.name}"},
        claim={"annotations": {"where": ".berth"}},
    ),
    "pattern among the archives": Case(
        "parameter pathPattern", "begin it otherwise", {"pathPattern": "archived-${.PVC.name}"}
    ),
    "missing label": Case(
        "parameter pathPattern",
        "needs the label 'app'",
        {"pathPattern": "${.PVC.labels.app}/${.PVC.name}"},
    ),
    "missing annotation": Case(
        "parameter pathPattern",
        "needs the annotation 'team'",
        {"pathPattern": "${.PVC.annotations.team}/${.PVC.name}"},
    ),
    "unknown placeholder": Case(
        "parameter pathPattern", "did you mean ${.PVC.name}?", {"pathPattern": "${.PVC.nam}"}
    ),
    "placeholder of the other spelling": Case(
        "parameter pathPattern", "parameter subDir", {"pathPattern": "${pvc.metadata.name}"}
    ),
    "placeholder without an end": Case("parameter pathPattern", "never closes", {"pathPattern": "${.PVC.name"}),
    "two patterns": Case("parameter subDir", "keep one", {"pathPattern": "${.PVC.name}", "subDir": "x"}),
    "name that is too long": Case(
        "parameter pathPattern",
        "shorten it",
        {"pathPattern": "${.PVC.name}-" + "x" * 240},
        claim={"name": "long-" + "y" * 200},
    ),
    # Claims.
    "selector": Case(
        "spec.selector", "remove it", claim={"selector": {"matchLabels": {"disk": "fast"}}}
    ),
    "block mode": Case("spec.volumeMode", "use Filesystem", claim={"volumeMode": "Block"}),
    "data source": Case(
        "spec.dataSource",
        "leave it out",
        claim={"dataSource": {"kind": "PersistentVolumeClaim", "name": "another"}},
    ),
    "too small": Case(SIZE, "below minSize 5 GiB", {"minSize": "5"}, claim={"size": "4Gi"}),
    "too large": Case(SIZE, "above maxSize 5 GiB", {"maxSize": "5"}, claim={"size": "5.1Gi"}),
    # Shares.
    "no server": Case("parameter server", "NFS_SERVER", without=("server", "share")),
    "no export": Case("parameter share", "NFS_PATH", without=("share",)),
    "NFS version that is none": Case("mountOptions", "there are 3, 4", of_class={"mountOptions": ["nfsvers=5"]}),
    "port that is none": Case("mountOptions", "takes a whole number", of_class={"mountOptions": ["port=nfs"]}),
    "transport that is none": Case("mountOptions", "proto=tcp", of_class={"mountOptions": ["proto=TCP"]}),
    "mount option misspelt": Case("mountOptions", "`nfsvers=4.1` is meant", of_class={"mountOptions": ["nfsver=4.1"]}),
    "mount option of SMB": Case("mountOptions", "of SMB", of_class={"mountOptions": ["hard", "mfsymlinks"]}),
}  # fmt: skip


@pytest.fixture(scope="module")
def site(make_site: Callable[[], Site]) -> Site:
    """One site with one controller, which has no share by default."""
    made = make_site()
    made.controller().start()
    return made


@pytest.fixture(scope="module")
def good(site: Site) -> str:
    """A class that works."""
    return site.make_class(site.parameters(onDelete="delete"))


@pytest.fixture
def corner(site: Site) -> Path:
    """A share of this test's own, below the site's; still empty."""
    path = site.root / f"corner-{secrets.token_hex(4)}"
    path.mkdir()
    site.foreign.add(path.name)
    return path


def check_refused(site: Site, good: str, name: str, of_class: str, case: Case, **claim: Any) -> None:
    """Files the bad claim and a good one; the one is told why, the other is served at once."""
    site.file_claim(name, of_class, **claim)
    begin = time.monotonic()
    fine = f"good-{secrets.token_hex(4)}"
    site.file_claim(fine, good)
    site.wait_bound(fine)
    assert time.monotonic() - begin < PROMPT
    event = site.wait_event(name, "ProvisioningFailed")
    assert event["type"] == "Warning"
    message = event["message"]
    assert message.startswith(f"{case.field}: ")
    assert case.advice in message
    assert "\n" not in message
    bad = site.claim(name)
    assert bad is not None
    assert bad["status"]["phase"] == "Pending"
    assert site.pv(f"pvc-{bad['metadata']['uid']}") is None
    (controller,) = site.controllers
    assert controller.metric("berth_claims_refused_total", **{"class": of_class, "field": case.field}) >= 1
    assert controller.metric("controller_persistentvolumeclaim_provision_failed_total", **{"class": of_class}) >= 1


@pytest.mark.parametrize("what", CASES)
def test_what_can_not_be_honoured_is_refused(site: Site, good: str, corner: Path, what: str) -> None:
    case = CASES[what]
    own = {"server": site.nfs.host, "share": f"{site.export}/{corner.name}"}
    parameters = {**{key: value for key, value in own.items() if key not in case.without}, **case.parameters}
    options = case.of_class.get("mountOptions")
    of_class = site.make_class(parameters, mount_options=options)
    claim = dict(case.claim)
    name = claim.pop("name", f"bad-{secrets.token_hex(4)}")
    check_refused(site, good, name, of_class, case, **claim)
    assert tree(corner) == {}


@pytest.mark.parametrize(
    ("path", "target"),
    [
        pytest.param("team", "/", id="on the way, out of the share"),
        pytest.param("team", "elsewhere", id="on the way, within the share"),
        pytest.param("team", "/nowhere/at/all", id="on the way, into nothing"),
        pytest.param("team/data", "/etc", id="at the end"),
        pytest.param("team/data", "nowhere", id="at the end, into nothing"),
        pytest.param(".berth", "elsewhere", id="in the place of Berth's own directory"),
    ],
)
def test_a_planted_link_is_not_followed(site: Site, good: str, corner: Path, path: str, target: str) -> None:
    (corner / "elsewhere").mkdir()
    (corner / "elsewhere").chmod(0o777)
    planted = corner / path
    planted.parent.mkdir(exist_ok=True)
    planted.symlink_to(target)
    parameters = {"server": site.nfs.host, "share": f"{site.export}/{corner.name}", "pathPattern": "team/data"}
    before = tree(corner, without=() if path == ".berth" else (".berth",))
    name = f"bad-{secrets.token_hex(4)}"
    site.file_claim(name, site.make_class(parameters))
    event = site.wait_event(name, "ProvisioningFailed", having="link")
    assert path in event["message"]
    site.serve(f"good-{secrets.token_hex(4)}", good)
    assert tree(corner, without=() if path == ".berth" else (".berth",)) == before


@pytest.mark.parametrize(
    ("taken", "wanted", "relation"),
    [
        pytest.param("team/data", "team/data", "is the directory of", id="the same directory"),
        pytest.param("team/data", "team", "overlaps", id="a directory around another's"),
        pytest.param("team", "team/data", "overlaps", id="a directory in another's"),
    ],
)
def test_a_directory_of_others_is_not_given_out(
    site: Site, good: str, corner: Path, taken: str, wanted: str, relation: str
) -> None:
    share = {"server": site.nfs.host, "share": f"{site.export}/{corner.name}", "onDelete": "delete"}
    first = f"first-{secrets.token_hex(4)}"
    pv = site.serve(first, site.make_class({**share, "pathPattern": taken}))
    before = tree(corner)
    name = f"bad-{secrets.token_hex(4)}"
    of_class = site.make_class({**share, "pathPattern": wanted})
    case = Case("parameter pathPattern", f"{relation} PV {pv['metadata']['name']}" if wanted == taken else relation)
    check_refused(site, good, name, of_class, case)
    (event,) = site.events(name, reason="ProvisioningFailed")
    for needed in (pv["metadata"]["name"], f"{site.namespace}/{first}", "sharedPaths", "${.PV.name}"):
        assert needed in event["message"]
    assert tree(corner) == before
    # Once the other is gone the claim is served, without anybody waiting for a resync.
    site.delete_claim(first)
    site.wait_gone(pv["metadata"]["name"])
    site.wait_bound(name)


def test_what_is_set_right_later_is_served_then(site: Site, corner: Path) -> None:
    share = {"server": site.nfs.host, "share": f"{site.export}/{corner.name}"}
    of_class = site.make_class({**share, "pathPattern": "${.PVC.labels.app}-${.PVC.name}"})
    name = f"late-{secrets.token_hex(4)}"
    site.file_claim(name, of_class)
    site.wait_event(name, "ProvisioningFailed", having="label 'app'")
    site.patch_claim(name, metadata={"labels": {"app": "shop"}})
    pv = site.wait_bound(name)
    assert pv["spec"]["nfs"]["path"].endswith(f"/shop-{name}")


def test_a_class_that_comes_after_its_claims_serves_them(site: Site) -> None:
    of_class, name = f"late-{secrets.token_hex(4)}", f"early-{secrets.token_hex(4)}"
    site.file_claim(name, of_class)
    site.make_class(name=of_class)
    site.wait_bound(name)


def test_a_class_that_is_made_anew_without_its_mistake_serves_its_claims(site: Site) -> None:
    of_class = site.make_class(site.parameters(onDelet="delete"))
    name = f"patient-{secrets.token_hex(4)}"
    site.file_claim(name, of_class)
    site.wait_event(name, "ProvisioningFailed", having="did you mean onDelete?")
    site.delete_class(of_class)
    site.make_class(name=of_class)
    site.wait_bound(name)


def test_a_refusal_is_not_repeated_until_something_changes(site: Site, good: str) -> None:
    of_class = site.make_class(site.parameters(colour="blue"))
    name = f"bad-{secrets.token_hex(4)}"
    site.file_claim(name, of_class)
    site.wait_event(name, "ProvisioningFailed")
    site.serve(f"good-{secrets.token_hex(4)}", good)
    (controller,) = site.controllers
    # The claim itself changed once, when Kubernetes named the provisioner: no more than one attempt for each.
    assert controller.metric("berth_claims_refused_total", **{"class": of_class}) <= 2
    refused = controller.metric("berth_claims_refused_total", **{"class": of_class})
    site.patch_claim(name, metadata={"labels": {"something": "new"}})
    until(
        "the claim is looked at again",
        lambda: controller.metric("berth_claims_refused_total", **{"class": of_class}) == refused + 1,
    )
    until("the Event is counted again", lambda: sum(one["count"] for one in site.events(name)) == refused + 1)
