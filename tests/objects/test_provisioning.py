"""Which containers provision, or could, whatever they are called; and which don't."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from berth.objects.containers import Container, PodFields
from berth.objects.provisioning import Provisioning, needs_self_link, provisionings
from tests.objects.images import NEED_SELF_LINK

POD = PodFields("a", "nfs")
PLAIN = {"PROVISIONER_NAME": "x/nfs", "NFS_SERVER": "h", "NFS_PATH": "/e"}
SECRET = [{"secretRef": {"name": "s"}}]


def judged(env: dict[str, str] | None = None, *, nfs: bool = False, **fields: Any) -> list[Provisioning]:
    """What is said of a pod with one container, of which no Secret could be read."""
    content = {"name": "it", "image": "registry/thing@sha256:00", **fields}
    content["env"] = [{"name": key, "value": value} for key, value in (env or {}).items()]
    if nfs:
        content["volumeMounts"] = [{"name": "root", "mountPath": "/data"}]
    return provisionings([msgspec.convert(content, Container)], [], frozenset({"root"}), POD, {})


@pytest.mark.parametrize(
    ("env", "fields", "kind", "names", "why"),
    [
        (PLAIN, {}, "reference", ("x/nfs",), ""),
        ({"PROVISIONER_NAME": "x/nfs"}, {"image": "m/nfs-client-provisioner:v2"}, "reference", ("x/nfs",), ""),
        ({"PROVISIONER_NAME": "x/ceph"}, {"image": "ceph"}, "other", ("x/ceph",), ""),
        ({}, {"name": "nfs-client-provisioner", "envFrom": SECRET}, "reference", (), "Secret a/s"),
        ({}, {"image": "m/nfs-subdir-external-provisioner@sha256:1"}, "reference", (), "nowhere: it has no"),
        ({"P": "x"}, {"args": ["--provisioner=$(P)/nfs"]}, "other", ("x/nfs",), ""),
        ({}, {"args": ["-provisioner", "x/nfs"]}, "other", ("x/nfs",), ""),
        ({}, {"args": ["--provisioner=$(P)"]}, "other", (), "its arguments"),
        ({}, {"command": ["sh", "-c", "PROVISIONER_NAME='x/nfs' exec /it"]}, "reference", ("x/nfs",), "the command"),
        ({}, {"command": ["sh", "-c", "PROVISIONER_NAME=$X exec /it"]}, "reference", (), "the command"),
        ({}, {"image": "r/sig-storage/nfsplugin:v4"}, "csi", ("nfs.csi.k8s.io",), ""),
        ({}, {"image": "r/nfsplugin", "args": ["--drivername=my.nfs"]}, "csi", ("my.nfs",), ""),
        ({}, {"image": "r/team/berth:1"}, "berth", ("nfs.berth.io",), ""),
        ({}, {"image": "r/team/berth-nfs:1"}, "berth", ("nfs.berth.io",), ""),
        ({**PLAIN, "BERTH_LANGUAGE": "en"}, {"image": "mirror/it:1"}, "berth", ("x/nfs",), ""),
        (PLAIN, {"image": "r/berthold:1"}, "reference", ("x/nfs",), ""),
        ({}, {"image": "r/team/berth", "args": ["run", "--provisioner-name=a,b"]}, "berth", ("a", "b"), ""),
    ],
)
def test_what_provisions(
    env: dict[str, str], fields: dict[str, Any], kind: str, names: tuple[str, ...], why: str
) -> None:
    (one,) = judged(env, **fields)
    assert (one.kind, one.names) == (kind, names)
    assert one.why.startswith(why)
    assert bool(one.why) == bool(why)


def test_who_mounts_a_share_and_is_told_what_we_can_not_read_may_be_one() -> None:
    (one,) = judged(envFrom=SECRET, nfs=True)
    assert (one.hint, one.why) == ("mount", "Secret a/s")
    assert judged(nfs=True) == judged(envFrom=SECRET) == judged({"NFS_SERVER": "h"}) == []


def test_an_init_container_counts_as_one_that_runs_only_if_it_goes_on_running() -> None:
    made = [
        msgspec.convert({"name": name, "env": [{"name": "PROVISIONER_NAME", "value": "x"}], **more}, Container)
        for name, more in (("once", {}), ("always", {"restartPolicy": "Always"}))
    ]
    found = provisionings([], made, frozenset(), POD, {})
    assert [(one.container.name, one.is_init) for one in found] == [("once", True), ("always", False)]


@pytest.mark.parametrize(("image", "is_old"), NEED_SELF_LINK.items())
def test_which_images_need_self_link(image: str, is_old: bool) -> None:
    assert needs_self_link(image) is is_old


@pytest.mark.parametrize(
    ("image", "flavour"),
    [
        ("quay.io/external_storage/nfs-client-provisioner:latest", "selflink"),
        ("registry.k8s.io/sig-storage/nfs-subdir-external-provisioner:v4.0.2", "subdir"),
        ("kubesphereio/nfs-client-provisioner:v4.0.2", "subdir"),
        ("r/sig-storage/nfsplugin:v4", "csi"),
        ("r/team/berth:1", "berth"),
        ("mirror/it:1", "other"),
    ],
)
def test_the_generation_of_an_image(image: str, flavour: str) -> None:
    (one,) = judged(PLAIN, image=image)
    assert one.flavour == flavour
