"""A real registry takes the image and the chart, once, from whom it lets in; and what it says when it doesn't."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import helm_python as helm
import pytest

from berth.images.archive import INDEX, Archive
from berth.images.login import Login
from berth.images.trust import CertificateTrust
from devcluster.registry import PASSWORD, USER, Registry
from release import chart
from release.machines import AMD64
from tests.deploy.charts import CHART
from tests.images.archives import image_archive
from tests.images.pushing import Watched, complaint, push, put_chart

LOGIN = Login(USER, PASSWORD, source="a test")
LAYERS = ["amd64: Python and its packages", "amd64: Berth"]


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    """Open to everybody, without TLS."""
    with Registry() as running:
        yield running


@pytest.fixture(scope="module")
def guarded() -> Iterator[Registry]:
    """With TLS, for one user."""
    with Registry(login=True, tls=True) as running:
        yield running


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image_archive(tmp_path_factory.mktemp("archive") / "image.tar")


def manifest(registry: Registry, reference: str, kind: str = INDEX, name: str = "storage/berth") -> tuple[str, object]:
    """A manifest's digest and content, by other code than ours."""
    request = urllib.request.Request(
        f"http://{registry.host}/v2/{name}/manifests/{reference}", headers={"Accept": kind}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.headers["Docker-Content-Digest"], json.load(answer)


def test_every_machines_image_is_there_under_each_tag_and_is_sent_once(registry: Registry, archive: Path) -> None:
    first, again = Watched(), Watched()
    pushed = push(registry.host, archive, watched=first, tags=("0.1.0", "latest"))
    with Archive(archive) as opened:
        assert pushed.digest == opened.top_blob.digest
    for tag in pushed.tags:
        digest, index = manifest(registry, tag)
        assert digest == pushed.digest
        assert isinstance(index, dict)
        assert [each["platform"]["architecture"] for each in index["manifests"]] == ["amd64", "arm64"]
    assert first.sent[:2] == LAYERS
    assert first.bytes == pushed.sent > 200_000
    assert push(registry.host, archive, watched=again).sent == 0
    assert again.sent == []
    assert again.was_there[:2] == LAYERS


def test_a_single_machines_image_has_no_index(registry: Registry, tmp_path: Path) -> None:
    pushed = push(registry.host, image_archive(tmp_path / "image.tar", [AMD64]), name="alone")
    kind = "application/vnd.oci.image.manifest.v1+json"
    digest, body = manifest(registry, "0.1.0", kind, "alone")
    assert digest == pushed.digest
    assert isinstance(body, dict)
    assert len(body["layers"]) == 2


def test_helm_finds_the_chart_and_the_same_again_changes_nothing(registry: Registry, tmp_path: Path) -> None:
    chart.make(tmp_path / "berth.tgz")
    pushed = put_chart(registry.host, tmp_path / "berth.tgz")
    assert put_chart(registry.host, tmp_path / "berth.tgz").digest == pushed.digest
    place = f"oci://{registry.host}/storage/berth-chart"
    with helm.RegistryClient(plain_http=True) as client:
        assert client.tags(place) == ["0.1.0"]
        (tmp_path / "pulled").mkdir()
        client.pull(place, version="0.1.0", destination=tmp_path / "pulled", plain_http=True)
    (pulled,) = (tmp_path / "pulled").iterdir()
    with helm.Chart.load(pulled) as got, helm.Chart.load(CHART) as folder:
        values = {"nfs": {"server": "nfs.example.com", "path": "/srv"}}
        assert got.render(values, name="b", namespace="n") == folder.render(values, name="b", namespace="n")


def test_who_logs_in_may_push_to_a_guarded_registry(guarded: Registry, archive: Path) -> None:
    pushed = push(guarded.host, archive, login=LOGIN, trust=CertificateTrust(authority=guarded.authority))
    assert push(guarded.host, archive, login=LOGIN).digest == pushed.digest


@pytest.mark.parametrize(
    ("login", "told"),
    [
        (None, "wants a login, and there is none for it here: log in with `docker login 127.0.0.1:"),
        (
            Login("thief", "x", source="/root/.docker/config.json"),
            "does not take the login of thief from /root/.docker",
        ),
        (Login("", token="t0", source="docker-credential-x"), "does not take the login of a token from"),
    ],
    ids=["nobody", "somebody else", "a token"],
)
def test_who_does_not_is_told_what_to_do(guarded: Registry, archive: Path, login: Login | None, told: str) -> None:
    assert told in complaint(guarded.host, archive, login=login)


def test_an_unknown_authority_is_told_with_the_ways_to_trust_it(
    guarded: Registry, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = complaint(guarded.host, archive, trust=CertificateTrust())
    assert f"the certificate of {guarded.host} is from nobody whom this machine trusts" in said
    assert f"--ca FILE, or put it into /etc/docker/certs.d/{guarded.host}/ca.crt; --insecure-registry" in said
    folder = tmp_path / guarded.host
    folder.mkdir()
    assert guarded.authority is not None
    (folder / "ca.crt").write_bytes(guarded.authority.read_bytes())
    monkeypatch.setattr("berth.images.trust.CERTIFICATES", (str(tmp_path),))
    push(guarded.host, archive, login=LOGIN, trust=CertificateTrust())


def test_a_certificate_for_another_name_and_a_file_that_is_none_are_told(guarded: Registry, archive: Path) -> None:
    with Registry(tls=True, address="127.0.0.2") as other:
        said = complaint(other.host, archive, trust=CertificateTrust(authority=other.authority))
        assert said.startswith(f"the certificate of {other.host} is for another name")
    assert "can't be used as an authority: no PEM certificate" in complaint(
        guarded.host, archive, trust=CertificateTrust(authority=archive)
    )


def test_plain_http_is_spoken_only_to_who_was_called_insecure(registry: Registry, archive: Path) -> None:
    assert complaint(registry.host, archive, trust=CertificateTrust()) == (
        f"{registry.host} speaks no TLS but plain HTTP: if that is meant to be, say --insecure-registry"
    )


def test_a_registry_that_is_read_only_or_not_there_is_told(archive: Path) -> None:
    with Registry(read_only=True) as registry:
        assert "405" in complaint(registry.host, archive)
        host = registry.host
    assert complaint(host, archive) == f"nothing listens at {host}: is the registry up, and is that its port?"
    assert "there is no host registry.invalid" in complaint("registry.invalid", archive)


@pytest.mark.slow
def test_a_registry_whose_disk_is_full_is_told_and_the_same_goes_on_afterwards(tmp_path: Path) -> None:
    registry, archive = Registry(), image_archive(tmp_path / "image.tar", size=1_000_000)
    registry.storage.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "none", str(registry.storage)], check=True)
    try:
        with registry:
            said = complaint(registry.host, archive)
            assert said.startswith(f"{registry.host} has no space left")
            subprocess.run(["mount", "-o", "remount,size=20m", str(registry.storage)], check=True)
            watched = Watched()
            push(registry.host, archive, watched=watched)
            assert watched.was_there[0] == LAYERS[0]
    finally:
        subprocess.run(["umount", "-l", str(registry.storage)], check=True)
