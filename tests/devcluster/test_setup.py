"""What a fresh machine is found to lack, and what is said where nothing can be done about it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devcluster import binaries, packages, progress, systems
from devcluster.errors import ProgramMissing

ROOT = Path(__file__).parents[2]


def test_only_what_is_not_installed_is_missing() -> None:
    assert packages.missing(["bash", "no-such-package", "coreutils", "no-such-package"]) == ["no-such-package"]


def test_the_builder_is_needed_only_where_something_is_to_be_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("BERTH_CACHE", str(tmp_path))
    assert "golang-go" in packages.needed_for_cluster()
    binaries.built().mkdir(parents=True)
    for name in binaries.CONTROL_PLANE:
        (binaries.built() / name).touch()
    assert "golang-go" not in packages.needed_for_cluster()


def test_a_node_is_built_even_where_the_control_plane_is_from_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assets, cache = tmp_path / "assets", tmp_path / "cache"
    assets.mkdir()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    monkeypatch.setenv("BERTH_CACHE", str(cache))
    assert "golang-go" in packages.needed_for_node()
    with pytest.raises(ProgramMissing, match="no kubelet yet: `make test` builds it"):
        binaries.find_for_node("kubelet")
    binaries.built().mkdir(parents=True)
    (binaries.built() / "kube-scheduler").touch()
    (assets / "kubelet").touch()
    assert "golang-go" not in packages.needed_for_node()
    assert binaries.find_for_node("kubelet") == assets / "kubelet"
    assert binaries.find_for_node("kube-scheduler") == binaries.built() / "kube-scheduler"


def test_programs_from_elsewhere_need_no_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "etcd").touch()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    needed = packages.needed_for_cluster()
    assert "etcd-server" not in needed
    assert "golang-go" not in needed


def test_without_root_and_sudo_one_sentence_says_what_root_has_to_type(tmp_path: Path) -> None:
    code = "from devcluster import packages; packages.install(['bash', 'no-such-package'])"
    (tmp_path / "dpkg-query").symlink_to("/usr/bin/dpkg-query")
    # As an ordinary user, who may read what root may: the checkout and Python are where they are.
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    as_user = ["/usr/bin/setpriv", "--reuid=65534", "--clear-groups", *reading, "--", sys.executable, "-c", code]
    env = {**os.environ, "PATH": str(tmp_path)}
    answer = subprocess.run(as_user, capture_output=True, text=True, timeout=30, check=False, cwd=ROOT, env=env)
    assert answer.stderr.splitlines()[-1].endswith("only root can install them: apt-get install no-such-package")


def test_a_step_that_fails_shows_what_its_command_said_last(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    argv = ["sh", "-c", "echo first; echo the disk is full >&2; exit 4"]
    with pytest.raises(progress.StepFailed, match=r"(?s)^Copying failed: `sh` ended with 4; .*the disk is full"):
        progress.run("Copying", argv, log=tmp_path / "log")
    assert capfd.readouterr().err == "Copying ...\nCopying: failed after 0:00\n"
    assert (tmp_path / "log").read_text() == "first\nthe disk is full\n"


def test_a_release_of_debian_that_is_served_no_more_stops_only_its_own_tests(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = []

    def root(suite: str) -> Path:
        if suite == "bullseye":
            raise progress.StepFailed("404 Not Found")
        made.append(suite)
        return Path()

    monkeypatch.setattr(systems, "root", root)
    systems.make()
    assert made == ["bookworm", "trixie"]
    assert capsys.readouterr().err == "Debian 11 can't be had: 404 Not Found\n"
