"""A cluster whose objects have hostile names, shares and provisioners, looked at by every command that looks at one."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest
from click.testing import CliRunner

from berth.cli.main import cli
from tests.cli.hostile import BAIT, NAMES, check
from tests.doctor.cluster.patient import Object, Patient

COMMANDS = (
    ["doctor"], ["doctor", "volume", "$NAME-0"], ["doctor", "claim", "$NAME/claim"], ["doctor", "pod", "$NAME/gone"],
    ["takeover", "plan", "--without-share"], ["takeover", "apply", "--without-share"],
    ["takeover", "revert", "--yes", "--without-share"], ["class", "default", "$NAME-0"],
    ["uninstall", "--name", "nobody", "--namespace", "$NAME"],
)  # fmt: skip


def volume(number: int, hostile: str) -> Object:
    """A PV of a provisioner that is gone, whatever its server, its path and its provisioner are called."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": f"$NAME-{number}",
            "annotations": {"pv.kubernetes.io/provisioned-by": f"{hostile}nfs"},
        },
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": f"$NAME-{number}",
            "mountOptions": [f"soft,{hostile}"],
            "claimRef": {"namespace": "$NAME", "name": "gone", "uid": f"00000000-{number}"},
            "nfs": {"server": f"{hostile}127.0.0.9", "path": f"/srv/{hostile}/volume"},
        },
    }


def workload(number: int, hostile: str) -> Object:
    """A Deployment that says of itself what it likes."""
    said = {"PROVISIONER_NAME": f"x.y/nfs,{hostile}", "NFS_SERVER": hostile, "NFS_PATH": f"/{hostile}"}
    container = {
        "name": "it",
        "image": ("nfs-subdir-external-provisioner:v4.0.2", "berth:1")[number % 2],
        "command": [hostile],
        "env": [{"name": key, "value": value} for key, value in said.items()],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"hostile-{number}", "namespace": "$NAME", "annotations": {"a/b": hostile}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": f"hostile-{number}"}},
            "template": {
                "metadata": {"labels": {"app": f"hostile-{number}"}},
                "spec": {"schedulerName": "nobody", "containers": [container]},
            },
        },
    }


def storage_class(number: int, hostile: str) -> Object:
    """A class of Berth with a parameter that nobody knows."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": f"$NAME-{number}"},
        "provisioner": ("nfs.berth.io", "x.y/nfs")[number % 2],
        "parameters": {"server": hostile, "share": f"/{hostile}", f"{hostile}archiveOnDelet": hostile},
        "mountOptions": ["soft", hostile],
    }


CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "claim", "namespace": "$NAME"},
    "spec": {
        "storageClassName": "$NAME-0",
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "1Gi"}},
    },
}


def event(number: int, hostile: str) -> Object:
    """What anybody may say of a claim."""
    about = {"kind": "PersistentVolumeClaim", "namespace": "$NAME", "name": "claim", "apiVersion": "v1"}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"claim.{number}", "namespace": "$NAME"},
        "involvedObject": about,
        "reason": "ProvisioningFailed",
        "type": "Warning",
        "message": f'storageclass.storage.k8s.io "{hostile}" not found, mkdir /{hostile}: permission denied',
        "lastTimestamp": f"2030-01-01T00:00:{number:02}Z",
    }


@pytest.fixture(scope="module")
def hostile(patient: Patient) -> Patient:
    """All of that, of every name that the API server takes."""
    patient.apply(json.dumps(CLAIM))
    taken = 0
    for number, name in enumerate(each[:300] for each in NAMES):
        for made in (volume, workload, storage_class, event):
            body = json.loads(json.dumps(made(number, name)).replace("$NAME", patient.name))
            group, kind = body["apiVersion"], body["kind"]
            home = f"/namespaces/{patient.name}" if "namespace" in body["metadata"] else ""
            plural = f"{kind.lower()}es" if kind.endswith("s") else f"{kind.lower()}s"
            path = f"{'/apis' if '/' in group else '/api'}/{group}{home}/{plural}"
            try:
                patient.request("POST", path, body)
            except Exception as error:  # noqa: BLE001 - what the API server refuses, nobody meets
                assert "422" in str(error) or "Invalid" in str(error) or "400" in str(error), error  # noqa: PT017
            else:
                taken += 1
                patient.made.append(body)
    assert taken > 3 * len(NAMES)
    return patient


@pytest.mark.parametrize(("arguments", "lang"), [*product(COMMANDS, ("en", "zh"))], ids=lambda each: " ".join(each))
def test_what_is_printed_is_only_read(hostile: Patient, arguments: list[str], lang: str, tmp_path: Path) -> None:
    argv = [each.replace("$NAME", hostile.name) for each in arguments]
    environment = {"KUBECONFIG": str(hostile.cluster.kubeconfig), "LC_ALL": "C.UTF-8"}
    result = CliRunner().invoke(cli, [*argv, "--lang", lang], env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    commands = check(result.output, tmp_path)
    if arguments == ["takeover", "plan", "--without-share"]:
        assert any(BAIT in command for command in commands)
    assert not [each for each in commands if f"{hostile.name}:default" in each]
    json_too = CliRunner().invoke(cli, [*argv, "-o", "json"], env=environment)
    if arguments[0] == "doctor":
        json.loads(json_too.stdout)
