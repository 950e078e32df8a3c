"""The doctor and the take-over look at one cluster in two ways, and judge alike who provisions in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.running import judge_selflink
from berth.doctor.cluster.snapshot import Snapshot
from berth.findings.versions import Version
from berth.kube.leader import lock_name
from berth.objects import runtime
from berth.objects.provisioners import main_of
from berth.objects.provisioning import needs_self_link
from berth.operations.takeover.old import Berth, OldProvisioner
from tests.objects.images import NEED_SELF_LINK
from tests.operations.takeover.things import deployment, found

SECOND = {"name": "second", "image": "mirror/it:1", "envFrom": [{"secretRef": {"name": "s"}}]}


@dataclass(frozen=True)
class Seen:
    """What somebody says of a Deployment that provisions."""

    key: str
    names: tuple[str, ...]
    share: str
    lock: str
    image: str
    replicas: int
    is_running: bool


def snapshot(manifest: dict[str, Any]) -> Snapshot:
    """What the doctor reads: the Deployment, and its pods of which as many are ready as its status says."""
    template, meta = manifest["spec"]["template"], manifest["metadata"]
    owner = {"kind": "ReplicaSet", "name": f"{meta['name']}-6cbccc967f"}
    pods = [
        {
            "metadata": {"name": f"nfs-{number}", "namespace": meta["namespace"], "ownerReferences": [owner]},
            "spec": template["spec"],
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": str(number < ready)}]},
        }
        for ready in [manifest["status"]["readyReplicas"]]
        for number in range(manifest["spec"]["replicas"])
    ]
    return Snapshot(
        version=Version(1, 30),
        workloads=[msgspec.convert(manifest, runtime.Deployment)],
        pods=msgspec.convert(pods, list[runtime.Pod]),
    )


def by_doctor(manifest: dict[str, Any]) -> list[Seen]:
    """The doctor's answer."""
    known = Provisioners(snapshot(manifest)).known
    return [Seen(one.key, one.names, one.share, one.lock, one.image, one.replicas, one.is_running) for one in known]


def by_takeover(manifest: dict[str, Any]) -> list[Seen]:
    """The take-over's answer."""
    answer = found(manifest)
    old = [(one, str(one.share)) for one in answer.old]
    berths = [(one, f"{one.server}:{one.export}" if one.server else "") for one in answer.berths]
    every: list[tuple[OldProvisioner | Berth, str]] = [*old, *berths]
    return [
        Seen(one.key, names, share, lock_name(names[0]), one.image, one.replicas, one.ready > 0)
        for one, share in every
        for names in [one.provisioners]
    ]


def with_second(*, is_first: bool) -> dict[str, Any]:
    """A Berth with a container beside it that is told things nobody may read, and mounts the share."""
    manifest = deployment(image="r/berth:1", ready=1)
    spec = manifest["spec"]["template"]["spec"]
    spec["volumes"] = [{"name": "root", "nfs": {"server": "10.0.0.1", "path": "/srv/nfs"}}]
    second = {**SECOND, "volumeMounts": [{"name": "root", "mountPath": "/data"}]}
    spec["containers"] = [second, *spec["containers"]] if is_first else [*spec["containers"], second]
    return manifest


@pytest.mark.parametrize(
    ("manifest", "names", "is_running"),
    [
        (deployment(ready=1), ("cluster.local/nfs-client",), True),
        (deployment(ready=0), ("cluster.local/nfs-client",), False),
        (deployment(replicas=3, ready=1), ("cluster.local/nfs-client",), True),
        (deployment(replicas=0, ready=0), ("cluster.local/nfs-client",), False),
        (deployment(environment={"PROVISIONER_NAME": "x/nfs, y/nfs"}, ready=1), ("x/nfs", "y/nfs"), True),
        (deployment(environment={"NFS_PATH": "/srv"}, ready=1), ("cluster.local/nfs-client",), True),
        (deployment(image="r/berth:1", ready=1), ("cluster.local/nfs-client",), True),
        (deployment(image="r/berth-nfs:1", ready=0), ("cluster.local/nfs-client",), False),
        (deployment(image="mirror/it:1", environment={"BERTH_LANGUAGE": "en"}), ("cluster.local/nfs-client",), False),
        (with_second(is_first=False), ("cluster.local/nfs-client",), True),
        (with_second(is_first=True), ("cluster.local/nfs-client",), True),
    ],
)
def test_who_provisions_under_which_names_and_whether_it_runs(
    manifest: dict[str, Any], names: tuple[str, ...], is_running: bool
) -> None:
    (seen,) = by_doctor(manifest)
    assert [seen] == by_takeover(manifest)
    assert (seen.names, seen.is_running) == (names, is_running)


@pytest.mark.parametrize(
    "manifest",
    [
        deployment(environment={"PROVISIONER_NAME": None, "NFS_SERVER": None}),
        deployment(environment={"PROVISIONER_NAME": ""}),
    ],
)
def test_one_whose_names_are_not_known_is_neither_served_nor_taken_over(manifest: dict[str, Any]) -> None:
    assert by_doctor(manifest) == by_takeover(manifest) == []
    assert [one.provisioners for one in found(manifest).others] == [()]


@pytest.mark.parametrize(("image", "is_old"), [each for each in NEED_SELF_LINK.items() if each[0]])
def test_which_provisioners_need_self_link(image: str, is_old: bool) -> None:
    manifest = deployment(image=image, ready=1)
    seen = snapshot(manifest)
    by_doctor = [each.id for each in judge_selflink(seen, Provisioners(seen))] == ["selflink-empty"]
    by_takeover = [each.id for each in found(manifest).unclear] == ["provisioner-too-old"]
    assert by_doctor == by_takeover == needs_self_link(image) == is_old


def test_the_container_that_goes_on_running_speaks_rather_than_one_whose_names_are_known() -> None:
    manifest = deployment(environment={"PROVISIONER_NAME": "x/nfs"})
    spec = manifest["spec"]["template"]["spec"]
    spec["initContainers"], spec["containers"] = spec["containers"], [{**SECOND, "name": "nfs-client-provisioner"}]
    (other,) = found(manifest).others
    assert other.provisioners == ("x/nfs",)
    assert by_doctor(manifest) == []
    (unclear,) = Provisioners(snapshot(manifest)).unclear
    assert main_of(unclear.containers).container.name == "nfs-client-provisioner"
