"""What a registry may do wrong: one sentence each, nothing half done, and another try where that is worth it."""

from __future__ import annotations

from pathlib import Path

import pytest

from berth.images import push as pushing
from berth.images.login import Login
from tests.images.archives import image_archive
from tests.images.fake_registry import FakeRegistry
from tests.images.pushing import Watched, complaint, push

LOGIN = Login("berth", "secret", source="/root/.docker/config.json")
ALWAYS = 100


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image_archive(tmp_path_factory.mktemp("archive") / "image.tar", size=2_000_000)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "_WAITS", (0.0, 0.0))


def test_it_takes_what_is_pushed(archive: Path) -> None:
    with FakeRegistry() as registry:
        pushed = push(registry.host, archive)
        assert len(registry.blobs) == 6 - 1  # the second layers are alike
        assert registry.requests[-2:] == [
            "PUT /v2/storage/berth/manifests/0.1.0",
            "HEAD /v2/storage/berth/manifests/0.1.0",
        ]
        assert pushed.digest


def test_a_digest_that_is_not_told_is_looked_at(archive: Path) -> None:
    with FakeRegistry(untold=1) as registry:
        push(registry.host, archive)
        assert registry.requests[-1] == "GET /v2/storage/berth/manifests/0.1.0"


def test_a_connection_that_is_lost_in_the_middle_of_a_blob_is_tried_again(archive: Path) -> None:
    watched = Watched()
    with FakeRegistry(lost=2) as registry:
        push(registry.host, archive, watched=watched)
        assert "0.1.0" in registry.manifests
    assert len(watched.lost) == 2
    assert watched.lost[0].startswith(f"the connection to {registry.host} was lost")


def test_where_it_is_lost_again_and_again_no_name_was_touched_and_the_same_goes_on(archive: Path) -> None:
    with FakeRegistry(lost=3) as registry:
        assert "was lost" in complaint(registry.host, archive)
        assert registry.manifests == {}
        push(registry.host, archive)
        assert "0.1.0" in registry.manifests


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("denied", "{host} takes nothing from us for {host}/storage/berth: DENIED: project is read only, and asked"),
        ("unknown", "{host} knows no storage/berth: NAME_UNKNOWN: no such project: make the project or repository"),
        ("name", "{host} does not allow the name 'storage/berth': NAME_INVALID: two parts at most: take another one"),
        ("large", "takes no more at once (413)"),
        ("full", "{host} has no space left: UNKNOWN: write: no space left on device"),
        ("moved", "{host} sends us on to 'https://evil.example.com/', which is not followed"),
        ("odd", "{host} did not take it (it answered 422: MANIFEST_INVALID: unknown type)"),
        ("html", "{host} answers, and is no registry (it said 200 to /v2/)"),
        ("missing", "{host} answers, and is no registry (it said 404 to /v2/)"),
        ("lonely", "does not take the login of berth"),
    ],
)
def test_a_refusal_is_told_once_and_no_name_is_touched(archive: Path, fault: str, told: str) -> None:
    with FakeRegistry(**{fault: ALWAYS}) as registry:
        said = complaint(registry.host, archive, login=LOGIN)
        assert told.format(host=registry.host) in said
        assert "0.1.0" not in registry.manifests
        assert registry.requests.count("POST /v2/storage/berth/blobs/uploads/") <= 5


@pytest.mark.parametrize(("fault", "status"), [("broken", "500"), ("busy", "429")])
def test_a_fault_that_may_pass_is_waited_for(archive: Path, fault: str, status: str) -> None:
    watched = Watched()
    with FakeRegistry(**{fault: 2}) as registry:
        push(registry.host, archive, watched=watched)
    assert [f"it answered {status}" in each for each in watched.lost] == [True, True]
    with FakeRegistry(**{fault: ALWAYS}) as registry:
        said = complaint(registry.host, archive)
        assert f"has a fault of its own (it answered {status}" in said
        assert registry.requests.count("POST /v2/storage/berth/blobs/uploads/") == 3
    assert "`" not in said
    assert "\x1b" not in said


def test_silence_ends_after_the_patience(archive: Path) -> None:
    with FakeRegistry(hangs=1) as registry:
        said = complaint(registry.host, archive, patience=0.5)
    assert "was silent for 0.5 s" in said


def test_a_token_is_fetched_with_the_login_and_only_that_is_shown_to_the_registry(archive: Path) -> None:
    with FakeRegistry(token=ALWAYS, token_given=ALWAYS) as registry:
        push(registry.host, archive, login=LOGIN)
        assert registry.requests.count("GET /token") == 1
        assert set(registry.logins) == {"", "Basic YmVydGg6c2VjcmV0", "Bearer t0"}
        for request, shown in zip(registry.requests, registry.logins, strict=True):
            assert shown.startswith("Basic") == (request == "GET /token")


@pytest.mark.parametrize(
    ("login", "faults", "told"),
    [
        (LOGIN, {"token_refused": ALWAYS}, "does not take the login of berth from /root/.docker/config.json: "
         "incorrect username or password: log in again"),
        (None, {"token_refused": ALWAYS}, "wants a login"),
        (LOGIN, {"token_given": ALWAYS, "scope": ALWAYS}, "berth may not push to"),
        (LOGIN, {"token_given": ALWAYS, "denied": ALWAYS}, "berth may not push to {host}/storage/berth: DENIED"),
        (None, {"token_given": ALWAYS, "denied": ALWAYS}, "nobody may push to {host}/storage/berth without a login"),
        (None, {"token_given": ALWAYS, "scope": ALWAYS}, "wants a login"),
        (LOGIN, {}, "gave none (it answered 404)"),
    ],
    ids=["wrong password", "nobody", "not allowed", "read only", "nobody, read only", "nobody may", "no token"],
)  # fmt: skip
def test_a_token_that_is_not_to_be_had_is_told(
    archive: Path, login: Login | None, faults: dict[str, int], told: str
) -> None:
    with FakeRegistry(token=ALWAYS, **faults) as registry:
        assert told.format(host=registry.host) in complaint(registry.host, archive, login=login)
        assert registry.manifests == {}
