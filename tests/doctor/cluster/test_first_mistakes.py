"""The twelve mistakes of somebody new: each is found, and cured by at most two of the commands that were printed, in
either language.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from berth.texts.text import Language
from devcluster.cluster import DevCluster
from devcluster.errors import CommandFailed
from tests.doctor.cluster.newcomer import ACCOUNT, EXPORT, NAMESPACE, PROVISIONER, Newcomer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    """A cluster of their own, since its default classes and its server are what they get wrong."""
    if os.geteuid():
        pytest.skip("a small disk takes root")
    with DevCluster() as cluster:
        made = Newcomer(cluster, tmp_path_factory.mktemp("newcomer"))
        try:
            made.begin()
            yield made
        finally:
            made.end()


@pytest.fixture(params=["en", "zh"])
def language(request: pytest.FixtureRequest) -> Language:
    spoken: Language = request.param
    return spoken


@pytest.fixture
def place(newcomer: Newcomer, language: Language, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of the test's namespace, and of its class. Both are gone afterwards."""
    name = f"{request.function.__name__.removeprefix('test_').replace('_', '-')[:40]}-{language}"
    yield name
    newcomer.cluster.kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")
    newcomer.cluster.kubectl("delete", "storageclass", name, "--ignore-not-found")


def cure(newcomer: Newcomer, place: str, commands: list[str], answer: str = "") -> None:
    """Types at most two commands, after which the claim gets its volume."""
    assert 1 <= len(commands) <= 2
    assert not newcomer.is_bound(place)
    for command in commands:
        newcomer.type(command, answer)
    newcomer.wait(lambda: newcomer.is_bound(place), f"claim {place}/data bound")


def test_a_wrong_parameter(newcomer: Newcomer, place: str, language: Language) -> None:
    newcomer.make_class(place, archiveOnDelet="false")
    newcomer.file_claim(place, place)
    newcomer.wait(lambda: newcomer.warned(place), "an Event")
    cure(newcomer, place, newcomer.wait_for("class-parameter-refused", language))


def test_a_class_that_is_misspelt(newcomer: Newcomer, place: str, language: Language) -> None:
    newcomer.file_claim(place, "managed-nsf")
    cure(newcomer, place, newcomer.wait_for("class-not-found", language, "claim", f"{place}/data"))


def test_a_label_that_is_missing(newcomer: Newcomer, place: str, language: Language) -> None:
    newcomer.make_class(place, pathPattern="${.PVC.namespace}/${.PVC.labels.team}")
    newcomer.file_claim(place, place)
    cure(newcomer, place, newcomer.wait_for("claim-lacks-label", language), "blue")
    assert (newcomer.root / place / "blue").is_dir()


def test_no_class(newcomer: Newcomer, place: str, language: Language) -> None:
    newcomer.make_class(place, archiveOnDelet="false")  # nobody may be led there, nor to those that come first
    newcomer.file_claim(place, None)
    commands = newcomer.wait_for("claim-without-class", language)
    cure(newcomer, place, commands[:1])
    assert commands[1:] == ["berth class default managed-nfs"]


def test_a_provisioner_that_is_misspelt(newcomer: Newcomer, place: str, language: Language) -> None:
    newcomer.make_class(place, provisioner="nfs.berth.oi")
    newcomer.file_claim(place, place)
    cure(newcomer, place, newcomer.wait_for("class-no-provisioner", language))


def test_an_export_that_does_not_exist(newcomer: Newcomer, place: str, language: Language) -> None:
    newcomer.make_class(place, share="/srv/nfs/k8")
    commands = newcomer.wait_for("share-not-exported", language)  # before the first claim
    newcomer.file_claim(place, place)
    cure(newcomer, place, commands[:1])
    assert commands[1:] == [f"berth doctor share {newcomer.nfs.host}:/srv/nfs/k8"]


def test_a_server_that_was_killed(newcomer: Newcomer, place: str, language: Language) -> None:
    newcomer.nfs.kill()
    newcomer.file_claim(place, "managed-nfs")
    commands = newcomer.wait_for("share-refuses", language)
    assert commands[-1] == f"berth doctor share {newcomer.nfs.host}:{EXPORT}"
    cure(newcomer, place, commands[:1])


def test_a_server_that_hangs(newcomer: Newcomer, place: str, language: Language) -> None:
    newcomer.nfs.pause()
    newcomer.file_claim(place, "managed-nfs")
    assert next(iter(newcomer.ask(language))) == "share-hangs"
    cure(newcomer, place, newcomer.wait_for("share-hangs", language)[:2])


@pytest.mark.parametrize("what", ["blocks", "inodes"])
def test_a_disk_that_is_full(newcomer: Newcomer, place: str, language: Language, what: str) -> None:
    place = f"{place}-{what}"
    newcomer.wait(newcomer.is_quiet, "what earlier tests made is gone, and gives no room any more")
    archive = newcomer.root / "archived-old"
    archive.mkdir()
    fill(archive, what)
    newcomer.file_claim(place, "managed-nfs")
    try:
        commands = newcomer.wait_for("share-full", language)
        cure(newcomer, place, commands[:2], "archived-old")
        assert not archive.exists()
    finally:
        shutil.rmtree(archive, ignore_errors=True)
        newcomer.cluster.kubectl("delete", "namespace", place, "--ignore-not-found", "--wait=false")


def fill(directory: os.PathLike[str], what: str) -> None:
    """Fills the disk that a directory is on."""
    number = 0
    while True:
        try:
            with open(os.path.join(directory, str(number)), "wb", buffering=0) as file:
                while what == "blocks":
                    file.write(bytes(1 << 16))
        except OSError:
            return
        number += 1


def test_two_defaults(newcomer: Newcomer, place: str, language: Language) -> None:
    newcomer.make_class(place, default=True)
    newcomer.make_class("managed-nfs", default=True)
    try:
        with pytest.raises(CommandFailed, match="2 default StorageClasses were found"):
            newcomer.file_claim(place, None)
        (command,) = newcomer.wait_for("default-class-several", language)
        newcomer.type(command)
        newcomer.file_claim(place, None)
        newcomer.wait(lambda: newcomer.is_bound(place), "a bound claim")
    finally:
        newcomer.make_class("managed-nfs")


def test_a_provisioner_that_may_not_ask_the_api_server(newcomer: Newcomer, place: str, language: Language) -> None:
    assert newcomer.controller is not None
    newcomer.controller.stop()
    container = {"name": "berth", "image": "berth:1", "env": [{"name": "PROVISIONER_NAME", "value": PROVISIONER}]}
    template = {"serviceAccountName": ACCOUNT, "schedulerName": "nobody", "containers": [container]}
    labels = {"app": "berth"}
    newcomer.apply({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "berth", "namespace": NAMESPACE},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": template}},
    })  # fmt: skip
    newcomer.cluster.kubectl("delete", "clusterrole", ACCOUNT, "--ignore-not-found")
    newcomer.cluster.kubectl("-n", NAMESPACE, "delete", "role", ACCOUNT, "--ignore-not-found")
    try:
        newcomer.serve(wait=False)
        newcomer.file_claim(place, "managed-nfs")
        cure(newcomer, place, newcomer.wait_for("provisioner-lacks-rights", language))
    finally:
        newcomer.cluster.kubectl("-n", NAMESPACE, "delete", "deployment", "berth", "--wait=false")
        for kind in ("clusterrolebinding", "clusterrole"):
            newcomer.cluster.kubectl("delete", kind, f"{ACCOUNT}-missing-rights", "--ignore-not-found")
        newcomer.give_rights()
