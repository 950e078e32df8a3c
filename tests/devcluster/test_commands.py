"""`python3 -m devcluster up|down|status`, as a person uses it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster import state
from devcluster.identity import identify
from tests.running import running

ROOT = Path(__file__).parents[2]


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "devcluster", "--state", str(folder), *arguments]


def devcluster(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(folder, *arguments), capture_output=True, text=True, timeout=120, check=False, cwd=ROOT
    )


def nothing_is_left(known: state.State, folder: Path) -> bool:
    return known.is_gone and not Path(known.directory).exists() and not folder.exists()


@pytest.fixture
def own_folder(tmp_path: Path) -> Iterator[Path]:
    """A state folder for a test that starts, and perhaps leaves, a cluster of its own."""
    yield tmp_path / "state"
    devcluster(tmp_path / "state", "down")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state folder of a cluster with a node that `up` has started. In the end `down` leaves nothing of either."""
    folder = tmp_path_factory.mktemp("up") / "state"
    started = devcluster(folder, "up", "--export", "/mount/demo", "--node")
    assert started.returncode == 0, started.stderr
    assert f"export KUBECONFIG={folder}/kubeconfig" in started.stdout
    assert ":/mount/demo" in started.stdout
    assert "python3 -m devcluster down" in started.stdout
    yield folder
    known = state.load(folder)
    assert devcluster(folder, "down").returncode == 0
    assert known is not None
    assert known.node is not None
    assert nothing_is_left(known, folder)
    assert (
        known.directory not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    )
    assert known.node.share.server not in Path("/proc/net/fib_trie").read_text()


def kubectl(folder: Path, *arguments: str) -> str:
    argv = ["kubectl", f"--kubeconfig={folder}/kubeconfig", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_cluster_answers_after_up_has_ended(folder: Path) -> None:
    assert "namespace/kube-system" in kubectl(folder, "get", "namespaces", "-o", "name").splitlines()


def test_its_node_runs_pods_after_up_has_ended(folder: Path) -> None:
    kubectl(folder, "run", "pod", "--image=localhost/busybox:dev", "--", "sleep", "600")
    kubectl(folder, "wait", "--for=condition=Ready", "pod/pod", "--timeout=30s")


def test_a_second_up_says_that_it_runs_already(folder: Path) -> None:
    before = (folder / "state.json").read_text()
    second = devcluster(folder, "up")
    assert second.returncode == 1
    assert f"is up already: KUBECONFIG={folder}/kubeconfig" in second.stderr
    assert (folder / "state.json").read_text() == before


def test_status_is_a_table_for_people_and_json_for_programs(folder: Path) -> None:
    table = devcluster(folder, "status")
    told = json.loads(devcluster(folder, "status", "-o", "json").stdout)
    names = ["etcd", "kube-apiserver", "rpcbind", "nfs-ganesha", "kube-controller-manager"]
    names += ["room", "kube-scheduler", "api-relay", "containerd", "rpcbind", "nfs-ganesha", "kubelet"]
    assert table.returncode == 0
    assert [line.split()[0] for line in table.stdout.splitlines()[1 : 1 + len(names)]] == names
    assert told["running"] is True
    assert [process["name"] for process in told["processes"]] == names
    assert {process["state"] for process in told["processes"]} == {"running"}
    assert told["shares"][0]["export"] == "/mount/demo"
    assert Path(told["shares"][0]["directory"]).is_dir()
    assert told["node"]["name"] == "dev-node"
    for share in (told["shares"][0], told["node"]["share"]):
        assert f"{share['server']}:{share['export']} " in table.stdout


def test_down_leaves_nothing_even_when_a_part_has_ended(own_folder: Path) -> None:
    assert devcluster(own_folder, "up").returncode == 0
    known = state.load(own_folder)
    assert known is not None
    etcd = known.processes[0]
    etcd.identity.send(signal.SIGKILL)
    assert etcd.identity.wait_gone(10)
    told = devcluster(own_folder, "status")
    assert told.returncode == 1
    assert "ended" in told.stdout.splitlines()[1]
    assert re.search(r"is up already, but etcd.* ended", devcluster(own_folder, "up").stderr)
    assert devcluster(own_folder, "down").returncode == 0
    assert nothing_is_left(known, own_folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_up_leaves_nothing(own_folder: Path, number: signal.Signals) -> None:
    with running(command(own_folder, "up"), stderr=subprocess.PIPE, text=True, cwd=ROOT) as starting:
        end = time.monotonic() + 30
        while (known := state.load(own_folder)) is None or len(known.processes) < 4:
            assert time.monotonic() < end, "the cluster does not start"
            os.sched_yield()
        starting.send_signal(number)
        assert starting.stderr is not None
        assert "interrupted, nothing was left behind" in starting.stderr.read()
    assert starting.returncode == 130
    assert nothing_is_left(known, own_folder)


def test_down_without_a_cluster_is_fine(tmp_path: Path) -> None:
    answer = devcluster(tmp_path / "state", "down")
    assert (answer.returncode, answer.stdout) == (0, "No dev cluster is running.\n")
    assert not (tmp_path / "state").exists()


def test_down_never_ends_a_stranger_that_has_the_number_now(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with running(["sleep", "60"]) as stranger:
        known = identify(stranger.pid)
        assert known is not None
        process = state.RunningProcess("etcd", stranger.pid, known.started - 1, "/dev/null")
        precious = tmp_path / "precious"
        precious.mkdir()
        state.save(
            folder, state.State(str(precious), str(precious / "kubeconfig"), "https://127.0.0.1:1", [], [process])
        )
        assert devcluster(folder, "down").returncode == 0
        assert stranger.poll() is None
        stranger.kill()
    assert precious.exists()
    assert not folder.exists()


def test_a_state_file_that_makes_no_sense_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"format": 1}')
    answer = devcluster(tmp_path, "status")
    assert answer.returncode == 1
    assert f"{tmp_path}/state.json can't be understood" in answer.stderr
