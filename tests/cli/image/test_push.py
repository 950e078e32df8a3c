"""`berth image push` as people and programs meet it, against a real registry."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from berth.cli.ending import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE
from devcluster.registry import PASSWORD, USER, Registry
from release import chart
from tests.cli.command import PROGRAM, berth, environment
from tests.images.archives import image_archive
from tests.images.fake_registry import FakeRegistry

VERSION = "0.1.0"


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    """For one user, without TLS."""
    with Registry(login=True) as running:
        yield running


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a release has, and nothing else."""
    made, folder = tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("dist")
    image_archive(made / "image.tar", size=3_000_000).rename(folder / f"berth-{VERSION}-image.tar")
    chart.make(folder / f"berth-chart-{VERSION}.tgz")
    return folder


@pytest.fixture
def home(tmp_path: Path, registry: Registry) -> Path:
    """Somebody's, who has logged in."""
    login = {"auths": {registry.host: {"username": USER, "password": PASSWORD}}}
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text(json.dumps(login))
    return tmp_path


def push(dist: Path, *arguments: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Pushes from that folder."""
    return subprocess.run(
        [str(PROGRAM), "image", "push", *arguments],
        input=stdin, capture_output=True, text=True, timeout=60, check=False, cwd=dist, env=environment(settings),
    )  # fmt: skip


def test_what_lies_here_is_pushed_and_the_next_commands_are_said(dist: Path, home: Path, registry: Registry) -> None:
    place = f"{registry.host}/storage/berth"
    done = push(dist, place, "--insecure-registry", HOME=str(home))
    assert (done.returncode, done.stderr) == (0, "")
    digest = done.stdout.partition(f"{place}:{VERSION} is ")[2].split()[0]
    assert done.stdout.splitlines() == [
        f"berth-{VERSION}-image.tar: berth:{VERSION}, for amd64, arm64",
        "sent        3.0 MB  amd64: Python and its packages",
        "sent        3.0 MB  arm64: Python and its packages",
        f"{place}:{VERSION} is {digest}",
        f"oci://{place}-chart is the chart, version {VERSION}",
        "",
        "This registry asked for a login: nodes that have none need a pull secret (--pull-secret, imagePullSecrets).",
        "Nodes take this registry only when each of them is told to: containerd in "
        f"/etc/containerd/certs.d/{registry.host}/hosts.toml, "
        "Docker by insecure-registries in /etc/docker/daemon.json.",
        "Next, one of these:",
        f"  berth install --image {place}@{digest} --server SERVER --path /EXPORT --apply",
        f"  helm install berth oci://{place}-chart --version {VERSION} --plain-http --namespace berth-system "
        f"--create-namespace --set image.repository={place} --set image.digest={digest} --set nfs.server=SERVER "
        "--set nfs.path=/EXPORT",
    ]
    told = push(dist, place, "--insecure-registry", "-o", "json", HOME=str(home))
    answer = json.loads(told.stdout)
    assert (told.returncode, told.stderr) == (0, "")
    assert answer["image"] == {
        "repository": place, "digest": digest, "tags": [VERSION], "sent": 0, "reference": f"{place}@{digest}",
    }  # fmt: skip
    assert answer["machines"] == ["amd64", "arm64"]
    assert answer["chart"]["repository"] == f"{place}-chart"


def test_tags_and_the_image_alone(dist: Path, home: Path, registry: Registry) -> None:
    place = f"{registry.host}/other/berth"
    done = push(
        dist, f"{place}:stable", "--tag", "v1", "--insecure-registry", "--no-chart", "--lang=zh", HOME=str(home)
    )
    assert done.returncode == 0
    assert f"{place}:stable 的摘要是 sha256:" in done.stdout
    assert f"{place}:v1 的摘要是 sha256:" in done.stdout
    assert "helm" not in done.stdout
    assert done.stdout.splitlines()[-2] == "接下来："


def test_a_password_comes_from_stdin_or_is_asked_for_unseen(dist: Path, registry: Registry) -> None:
    arguments = [f"{registry.host}/asked/berth", "--insecure-registry", "--username", USER]
    assert push(dist, *arguments, stdin=f"{PASSWORD}\n").returncode == 0
    refused = push(dist, *arguments, stdin="wrong\n")
    assert refused.returncode == EXIT_FAILED
    assert refused.stderr == f"berth: {registry.host} does not take the login of {USER} from --username: log in again\n"
    assert push(dist, *arguments).returncode == EXIT_INTERRUPTED
    seen = typed([str(PROGRAM), "image", "push", *arguments], f"{PASSWORD}\n", dist)
    assert f"Password of {USER} at {registry.host}" in seen
    assert PASSWORD not in seen
    assert f"{registry.host}/asked/berth:{VERSION} is sha256:" in seen


def typed(argv: list[str], answer: str, folder: Path) -> str:
    """What is seen on a terminal on which that is typed after the first question."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execve(argv[0], argv, environment({"TERM": "dumb", "COLUMNS": "300"}))
    seen = b""
    while b"Password" not in seen:
        seen += os.read(terminal, 4096)
    os.write(terminal, answer.encode())
    try:
        while part := os.read(terminal, 4096):
            seen += part
    except OSError:  # the other end is closed
        pass
    os.waitpid(pid, 0)
    os.close(terminal)
    return seen.decode()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["berth"], EXIT_USAGE, "'berth' names no registry: write REGISTRY/NAME"),
        (["r.example.com/b", "--tag", "a b"], EXIT_USAGE, "'a b' is no tag"),
        (["r.example.com/b"], EXIT_FAILED, "there is no berth-0.1.0-image.tar here ("),
        (["r.example.com/b", "--archive", "/etc/passwd"], EXIT_FAILED, "/etc/passwd is no image archive"),
        ([], EXIT_USAGE, "REGISTRY/NAME is missing"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_can_not_be_pushed_is_one_sentence(
    tmp_path: Path, arguments: list[str], code: int, told: str, lang: str
) -> None:
    done = push(tmp_path, *arguments, "--lang", lang)
    assert (done.returncode, done.stdout) == (code, "")
    assert len(done.stderr.splitlines()) == 1
    if lang == "en":
        assert told in done.stderr
    error = json.loads(push(tmp_path, *arguments, "-o", "json").stdout)
    assert error["exitCode"] == code
    assert told in error["error"]["message"]["en"]


def test_a_login_that_can_not_be_read_matters_only_where_one_is_wanted(
    dist: Path, home: Path, registry: Registry
) -> None:
    (home / ".docker/config.json").write_text('{"credsStore": "desktop.exe"}')
    arguments = ["--insecure-registry", "--no-chart"]
    with FakeRegistry() as open_to_all:
        assert push(dist, f"{open_to_all.host}/berth", *arguments, HOME=str(home)).returncode == 0
    refused = push(dist, f"{registry.host}/berth", *arguments, HOME=str(home))
    assert f"docker-credential-desktop.exe, which {home}/.docker/config.json names for logins" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_in_a_folder_that_is_gone_the_archive_has_to_be_named(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    line = 'rmdir "$PWD"; exec "$0" "$@"'
    done = subprocess.run(
        ["sh", "-c", line, str(PROGRAM), "image", "push", "registry.example.com/berth"],
        capture_output=True, text=True, timeout=60, check=False, cwd=gone, env=environment({}),
    )  # fmt: skip
    assert done.returncode == EXIT_FAILED
    assert "name it with --archive FILE" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_chart_that_is_not_taken_leaves_the_image_and_says_so(dist: Path, tmp_path: Path) -> None:
    shutil.copy(dist / f"berth-{VERSION}-image.tar", tmp_path)
    (tmp_path / f"berth-chart-{VERSION}.tgz").write_text("no chart")
    with FakeRegistry() as registry:
        done = push(tmp_path, f"{registry.host}/berth", "--insecure-registry")
        assert "is no chart's archive" in done.stderr
        assert registry.requests == []
        shutil.copy(dist / f"berth-chart-{VERSION}.tgz", tmp_path)
        registry.faults["chart"] = 100
        done = push(tmp_path, f"{registry.host}/berth", "--insecure-registry")
        assert done.returncode == EXIT_FAILED
        assert "the image is pushed, and its chart is not: " in done.stderr
        assert "--no-chart leaves it out" in done.stderr
        assert f"{registry.host}/berth:{VERSION} is sha256:" in done.stdout


def test_ctrl_c_in_the_middle_of_a_blob_ends_at_once_and_touches_no_name(dist: Path) -> None:
    with FakeRegistry(hangs=1) as registry:
        argv = [str(PROGRAM), "image", "push", f"{registry.host}/berth", "--insecure-registry"]
        running = subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=dist, env=environment({})
        )
        assert registry.hanging.wait(30)
        running.send_signal(signal.SIGINT)
        _, complaint = running.communicate(timeout=20)
        assert (running.returncode, complaint) == (EXIT_INTERRUPTED, "berth: interrupted\n")
        assert registry.manifests == {}


def test_help_says_where_the_archive_comes_from() -> None:
    assert "beside this command or here" in " ".join(berth("image", "push", "--help").stdout.split())
