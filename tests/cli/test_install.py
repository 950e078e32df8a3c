"""`berth install` without a cluster: it prints what one can apply, and names the option that is wrong."""

from __future__ import annotations

import json

import pytest
import yaml
from click.testing import CliRunner, Result

from berth.cli.main import cli
from berth.manifests.install import install_manifests
from berth.programs.controller import WORKLOAD
from berth.settings.install import ClassSettings, InstallSettings

SHARE = ("--server", "10.0.0.5", "--path", "/srv/nfs/k8s/")
NOWHERE = {"KUBECONFIG": "/nonexistent/kubeconfig", "LC_ALL": "C.UTF-8"}


def berth(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, env=NOWHERE)


def test_it_prints_everything_as_yaml_that_reads_back() -> None:
    answer = berth("install", *SHARE)
    assert (answer.exit_code, answer.stderr) == (0, "")
    expected = InstallSettings(server="10.0.0.5", export="/srv/nfs/k8s")
    assert list(yaml.safe_load_all(answer.stdout)) == install_manifests(expected, WORKLOAD)


def test_as_json_it_is_one_list() -> None:
    answer = berth("install", *SHARE, "-o", "json")
    assert json.loads(answer.stdout)["kind"] == "List"
    assert json.loads(answer.stdout)["items"] == list(yaml.safe_load_all(berth("install", *SHARE).stdout))


def test_options_become_settings() -> None:
    answer = berth(
        "install", *SHARE, "--class", "gold", "--default-class", "--on-delete", "retain", "--parameter", "uid=1000",
        "--mount-option", "nfsvers=3", "--mount-option", "hard", "--reclaim-policy", "Retain", "--provisioner-name",
        "a.example/nfs, cluster.local/old", "--name", "gold", "--namespace", "storage", "--image", "r.example/berth:2",
        "--pull-secret", "one", "--replicas", "3", "--reserved-port", "none", "--kubernetes-version", "v1.20.4",
        "--service-monitor", "--prometheus-rule", "--provisioner-capability", "--mount",
    )  # fmt: skip
    expected = InstallSettings(
        server="10.0.0.5",
        export="/srv/nfs/k8s",
        name="gold",
        namespace="storage",
        provisioners=("a.example/nfs", "cluster.local/old"),
        classes=(
            ClassSettings(
                name="gold",
                provisioner="a.example/nfs",
                default=True,
                parameters={"onDelete": "retain", "uid": "1000"},
                mount_options=("nfsvers=3", "hard"),
                reclaim_policy="Retain",
            ),
        ),
        image="r.example/berth:2",
        pull_secrets=("one",),
        replicas=3,
        reserved_port="none",
        kubernetes=(1, 20),
        mount=True,
        mount_options=("nfsvers=3", "hard"),
        service_monitor=True,
        prometheus_rule=True,
        provisioner_capability=True,
    )
    assert answer.stderr == ""
    assert list(yaml.safe_load_all(answer.stdout)) == install_manifests(expected, WORKLOAD)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--server", "nfs:/srv", "--path", "/srv"), "berth: --server: 'nfs:/srv' holds a port or a path"),
        (("--server", "nfs", "--path", "srv"), "berth: --path: 'srv' is not an absolute path"),
        ((*SHARE, "--parameter", "uid"), "berth: --parameter: 'uid' is not KEY=VALUE"),
        ((*SHARE, "--parameter", "archiveOnDelet=true"), "did you mean archiveOnDelete?"),
        ((*SHARE, "--parameter", "uid=root"), "berth: --parameter uid: 'root' is not a number"),
        ((*SHARE, "--mount-option", "nfsvers=5"), "berth: --mount-option: `nfsvers=5` is no NFS version"),
        ((*SHARE, "--class", "Gold"), "berth: --class: 'Gold' is not a class's name"),
        ((*SHARE, "--name", "x" * 54), "berth: --name: 'xxx"),
        ((*SHARE, "--namespace", "a_b"), "berth: --namespace: 'a_b' is not a name"),
        ((*SHARE, "--provisioner-name", "no name"), "berth: --provisioner-name: 'no name' is not"),
        ((*SHARE, "--kubernetes-version", "new"), "berth: --kubernetes-version: 'new' is not a release"),
        ((*SHARE, "--kubernetes-version", "1.99"), "'1.99' is not a release that this Berth knows: 1.20 to 1.37"),
        ((*SHARE, "--kubernetes-version", "1.19"), "'1.19' is not a release that this Berth knows"),
        (
            (*SHARE, "--kubernetes-version=1.21", "--reserved-port=sysctl"),
            "--reserved-port: sysctl needs Kubernetes 1.22 or newer",
        ),
        ((*SHARE, "--no-class", "--default-class"), "berth: --default-class: needs a class"),
        (("--path", "/srv"), "--server is missing"),
        ((*SHARE, "--replicas", "0"), "--replicas: 0 is not from 1 to 10"),
    ],
)
def test_what_is_wrong_is_named_by_its_option(arguments: tuple[str, ...], said: str) -> None:
    answer = berth("install", *arguments)
    assert answer.exit_code == 64
    assert answer.stdout == ""
    assert said in answer.stderr


@pytest.mark.parametrize(
    "command", [("install", *SHARE, "--apply"), ("uninstall",), ("class", "default", "gold")], ids=lambda c: c[0]
)
def test_without_a_cluster_one_sentence_says_so(command: tuple[str, ...]) -> None:
    answer = berth(*command)
    assert answer.exit_code == 3
    (line,) = answer.stderr.splitlines()
    assert line.startswith("berth: kubeconfig /nonexistent/kubeconfig does not exist") or "does not exist" in line


@pytest.mark.parametrize(("lang", "said"), [("en", "no registry has berth:"), ("zh", "没有仓库提供 berth:")])
def test_below_an_image_that_no_registry_has_stands_how_to_get_it(lang: str, said: str) -> None:
    lines = berth("install", *SHARE, "--lang", lang).stdout.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.lstrip().startswith("image: ")]
    assert lines[at + 1].startswith(f"          # {said}")
    assert "`berth image push REGISTRY/NAME`" in lines[at + 1]
    assert "berth image" not in berth("install", *SHARE, "--image", "r.example/berth:2").stdout
    assert berth("install", *SHARE, "-o", "json").stderr.startswith("no registry has berth:")


@pytest.mark.parametrize("command", [("install", *SHARE), ("takeover", "plan"), ("takeover", "apply", "--yes")])
def test_what_nodes_could_not_read_as_an_image_is_refused(command: tuple[str, ...]) -> None:
    answer = berth(*command, "--image", "r.example/Berth:1")
    assert (answer.exit_code, answer.stdout) == (64, "")
    assert answer.stderr.startswith("berth: --image: 'r.example/Berth:1' is no name of an image")
