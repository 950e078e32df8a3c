"""Each failure is made on a real cluster, found, cured with exactly the commands that the finding printed, and gone."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from berth.doctor.cluster.examine import examine
from berth.doctor.redaction.reports import Redaction
from berth.doctor.redaction.words import PROVISIONERS, known_words
from berth.findings.finding import Report
from berth.findings.render import say
from berth.kube.config import load
from berth.texts.text import Language, Text
from tests.doctor.cluster.patient import Object, Patient, find

LANGUAGES: tuple[Language, ...] = ("en", "zh")
WARD = Path(__file__).parent / "broken_cluster.yaml"


def volume(name: str, path: str, *, policy: str = "Retain", claim: str = "", by: str = "", **spec: object) -> Object:
    """A PV, whose claim (if any) has been gone for long."""
    reference = {"claimRef": {"namespace": "$NAME", "name": claim, "uid": f"00000000-{claim}"}} if claim else {}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": f"$NAME-{name}",
            "annotations": {"pv.kubernetes.io/provisioned-by": by} if by else {},
        },
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteMany"],
            "persistentVolumeReclaimPolicy": policy,
            "storageClassName": "$NAME-none",
            "nfs": {"server": "nfs.example.com", "path": path},
            **reference,
            **spec,
        },
    }


VOLUMES = [
    volume("kept", "/export/kept", claim="gone"),
    volume("by-hand", "/export/by-hand", claim="gone", policy="Delete"),
    volume("one", "/export/both", policy="Delete", by="x.example/nfs"),
    volume("two", "/export/both", policy="Delete", by="x.example/nfs"),
    volume("in-here", "/", nfs={"server": "nfs.$NAME.svc.cluster.local", "path": "/"}),
    volume("soft", "/export/soft", mountOptions=["timeo=30,soft", "nfsvers=4.1"]),
]


@dataclass(frozen=True)
class Case:
    """A failure. about: in an object's name, behind the patient's. says: in its text."""

    failure: str
    about: str
    says: str
    without: tuple[str, ...] = ()
    """Parts of commands that are for other places or wait for a node."""


CASES = [
    Case("class-no-provisioner", "-typo", "nfs-229 does"),
    Case("provisioner-not-running", "/stopped", "it is scaled to 0"),
    Case(
        "selflink-empty",
        "/old",
        "stays Pending: its provisioner looks for metadata.selfLink",
        # It tells of the whole cluster, ill as it is, and changes nothing.
        ("rollout status", "takeover plan"),
    ),
    Case("provisioner-lacks-rights", "/berth", "persistentvolumes (get list watch create"),
    Case("provisioner-twice", "/elder", "both answer to"),
    Case("provisioner-twice", "/cache", "both answer to"),
    Case("class-parameter-refused", "-fast", "did you mean archiveOnDelete?"),
    Case("soft-mount", "-fast", "mounts with `soft`"),
    Case("locks-local", "-fast", "mounts with `nolock`"),
    Case("soft-mount", "-soft", "is mounted with `soft`"),
    Case("class-not-found", "/misspelt", "-fast does"),
    Case("claim-without-class", "/classless", "names no class"),
    Case("claim-refused", "/selects", "asks for a selector"),
    Case("claim-refused", "/block", "asks for volumeMode: Block"),
    Case("claim-refused", "/copies", "asks for a copy of PersistentVolumeClaim block"),
    Case("volume-released", "-kept", "its policy is Retain"),
    Case("volume-no-deleter", "-by-hand", "was made by hand"),
    Case("shared-directory", "-one", "/export/both"),
    Case("webhook-unreachable", "pvc.example.com", "nothing stands behind its Service"),
]
SEEN = [
    Case("claim-quota", "/db", "is refused by the quota small: it asks for requests.storage=900Gi"),
    Case("prometheus-on-nfs", "/prometheus-0", "runs Prometheus on the NFS claim"),
    Case("clone-empty", "/data", "made an empty volume"),
    Case("server-pod-gone", ".svc.cluster.local", "has no ready pod"),
    Case("expansion-waits", "/data", "is to grow from 1Gi to 2Gi, and nothing does it"),
]
"""What takes more than a command to cure."""
IDS = [f"{each.failure} {each.about.strip('-/')}" for each in CASES]


@pytest.fixture(scope="module")
def ill(patient: Patient) -> Report:
    """The report on all of it."""
    patient.apply(WARD.read_text())

    patient.apply("\n---\n".join(json.dumps(each) for each in VOLUMES))
    path = "/api/v1/namespaces/$NAME/pods"
    wanted = {"lives", "old", "berth", "elder", "cache"}

    def names() -> list[str]:
        return [each["metadata"]["name"] for each in patient.request("GET", path)["items"]]

    patient.wait(lambda: {name.partition("-")[0] for name in names()} >= wanted, "pods")
    for name in names():
        patient.set_status(f"{path}/{name}", ready)
    data = "/api/v1/namespaces/$NAME/persistentvolumeclaims/data"
    patient.wait(lambda: patient.request("GET", data)["status"].get("phase") == "Bound", "a bound claim")
    grown = patient.request("GET", data)
    grown["spec"]["resources"]["requests"]["storage"] = "2Gi"
    patient.request("PUT", data, grown)
    refused = "/api/v1/namespaces/$NAME/events?fieldSelector=reason=FailedCreate,involvedObject.name=db"
    patient.wait(lambda: patient.request("GET", refused)["items"], "a refused claim")
    pvs = [f"/api/v1/persistentvolumes/$NAME-{name}" for name in ("kept", "by-hand")]
    ended = {"Released", "Failed"}
    patient.wait(lambda: {patient.request("GET", pv)["status"]["phase"] for pv in pvs} == ended, "PVs at their end")
    return patient.examine()


def ready(pod: Object) -> None:
    """Makes a pod look as if it ran."""
    pod["status"] |= {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


@pytest.fixture(scope="module")
def cured(patient: Patient, ill: Report) -> Report:
    """The report after every command was typed."""
    for case in CASES:
        finding = find(ill, case.failure, f"{patient.name}{case.about}") or find(ill, case.failure, case.about)
        assert finding is not None, case
        patient.cure(finding, without=case.without)
    return patient.examine()


@pytest.mark.parametrize("case", [*CASES, *SEEN], ids=[*IDS, *(each.failure for each in SEEN)])
def test_it_is_found(case: Case, patient: Patient, ill: Report) -> None:
    finding = find(ill, case.failure, f"{patient.name}{case.about}") or find(ill, case.failure, case.about)
    assert finding is not None, [(each.id, each.about) for each in ill.findings]
    assert case.says in finding.seen.en
    assert not ill.unseen


NAMING = {
    "name", "namespace", "server", "path", "storageClassName", "volumeName", "serviceAccountName", "provisioner",
    "claimName", "value", "host", "url", "share",
}  # fmt: skip
"""Fields whose values are names."""


def names_in(value: object, key: str = "") -> Iterator[str]:
    """The words of all names in an object that are no words of everybody."""
    match value:
        case dict():
            for field, each in value.items():
                yield from names_in(each, field)
        case list():
            for each in value:
                yield from names_in(each, key)
        case str() if key in NAMING and value not in PROVISIONERS:
            for word in re.findall(r"[A-Za-z0-9][\w-]*", value):
                if word not in known_words() and not word.isdigit():
                    yield word


def test_with_stand_ins_none_of_the_clusters_names_is_told(patient: Patient, ill: Report) -> None:
    kubectl = patient.cluster.kubectl
    own = {patient.name, *names_in(patient.made)}
    for kind in ("pods", "pv", "pvc", "storageclass", "deployments", "serviceaccounts", "endpoints"):
        listed = json.loads(kubectl("get", kind, "-A", "-o", "json"))["items"]
        own |= {word for each in listed for word in names_in({"name": each["metadata"]["name"]})}
    assert len(own) > 40
    redaction = Redaction()
    config = load(str(patient.cluster.kubeconfig))
    report = asyncio.run(examine(None, config, seen=redaction.learn_cluster))
    said = redaction.report(report)
    assert [each.id for each in said.findings] == [each.id for each in report.findings]
    lines = [line.text for language in LANGUAGES for line in say(said, language, Text("", ""))]
    told = "\n".join([json.dumps(said.as_dict(), ensure_ascii=False), *lines])
    leaked = {name: re.findall(rf".{{0,60}}(?<![\w-]){re.escape(name)}(?![\w-]).{{0,20}}", told)[:2] for name in own}
    assert {name: where for name, where in leaked.items() if where} == {}
    about = {subject.name for each in said.findings for subject in each.about}
    assert not {name for name in about if patient.name in name}


def test_a_name_proves_nothing(patient: Patient, ill: Report) -> None:
    cache, account = f"{patient.name}/cache", f"{patient.name}:tenant"
    told = find(ill, "provisioner-untrusted", cache)
    assert told is not None
    assert f"its account {account}" in told.seen.en
    assert [each.about[0].name for each in ill.findings if each.id == told.id] == [cache]
    assert find(ill, "provisioner-lacks-rights", cache) is None
    commands = [each for finding in ill.findings for each in finding.commands]
    assert not [each for each in commands if "tenant" in each]
    twice = [
        each for each in ill.findings if each.id == "provisioner-twice" and cache in {one.name for one in each.about}
    ]
    assert {each.about[0].name for each in twice} == {cache}  # nobody is stopped for its sake
    named = asyncio.run(examine(None, load(str(patient.cluster.kubeconfig)), trusted=[account.replace(":", "/")]))
    (grant,) = (find(named, "provisioner-lacks-rights", cache) or told).commands
    assert '"name":"tenant"' in grant


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_it_is_gone_once_its_commands_were_typed(case: Case, patient: Patient, cured: Report) -> None:
    assert find(cured, case.failure, f"{patient.name}{case.about}") is None


def test_what_hangs_on_one_claim_is_told_and_nothing_else(patient: Patient, cured: Report) -> None:
    report = patient.examine("claim $NAME/misspelt")
    assert {each.id for each in report.findings} <= {
        "claim-waits-for-provisioner",
        "nothing-wrong",
        "share-unresolved",  # nobody's server
    }


def test_an_object_that_does_not_exist_is_told_with_its_nearest_name(patient: Patient, cured: Report) -> None:
    (finding,) = patient.examine("claim $NAME/mispelt").findings
    assert finding.id == "object-missing"
    assert finding.seen.en.endswith(f"there is {patient.name}/misspelt")


ACCESSORS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: accessors.storage.kubesphere.io}
spec:
  group: storage.kubesphere.io
  scope: Cluster
  names: {plural: accessors, singular: accessor, kind: Accessor}
  versions:
    - name: v1alpha1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""


def test_an_accessor_that_keeps_a_namespace_from_a_class(patient: Patient, cured: Report) -> None:
    patient.apply(ACCESSORS)
    path = "/apis/storage.kubesphere.io/v1alpha1/accessors"
    patient.cluster.kubectl("wait", "--for=condition=established", "crd/accessors.storage.kubesphere.io")
    others = {"field": "Name", "operator": "In", "values": ["somebody-else"]}
    accessor = {
        "apiVersion": "storage.kubesphere.io/v1alpha1",
        "kind": "Accessor",
        "metadata": {"name": f"{patient.name}-accessor"},
        "spec": {
            "storageClassName": f"{patient.name}-old",
            "namespaceSelector": {"fieldSelector": [{"fieldExpressions": [others]}]},
        },
    }
    patient.request("POST", path, accessor)
    finding = find(patient.examine(), "claim-not-allowed", patient.name)
    assert finding is not None
    assert finding.commands == (f"kubectl edit accessors.storage.kubesphere.io {patient.name}-accessor",)
    patient.request("DELETE", f"{path}/{patient.name}-accessor")
    assert find(patient.examine(), "claim-not-allowed", patient.name) is None
