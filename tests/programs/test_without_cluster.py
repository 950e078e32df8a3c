"""What the controller process does while there is no cluster to be had."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import environment
from tests.e2e.controller import Controller
from tests.e2e.waiting import until


@pytest.fixture
def silent_api() -> Iterator[int]:
    """The port of an API server that takes connections and reads nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def controller(tmp_path: Path, silent_api: int) -> Iterator[Controller]:
    """A controller of that API server; it listens already."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{silent_api}"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path = tmp_path / "config"
    path.write_text(json.dumps(config))
    made = Controller("berth", tmp_path, environment({"KUBECONFIG": str(path)})).start(wait=False)
    made.wait_logged("listening")
    yield made
    made.stop()


def test_it_is_alive_and_not_ready(controller: Controller) -> None:
    assert controller.fetch("/healthz") == (200, "ok")
    assert controller.fetch("/readyz") == (503, "waiting for the API server's lists")
    status, metrics = controller.fetch("/metrics")
    assert status == 200
    assert "# TYPE controller_persistentvolumeclaim_provision_total counter" in metrics


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_told_to(controller: Controller, number: signal.Signals) -> None:
    controller.process.signal(number)
    until("it has ended", lambda: not controller.is_running, deadline=10)
    assert controller.process.exit_code == 0
    assert [line["event"] for line in controller.lines][-3:] == ["told to stop", "stopping", "stopped"]
    assert controller.complaints == []
