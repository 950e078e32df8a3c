"""The real parts that tests may ask for: each is started by the first test that needs it, and none without."""

from __future__ import annotations

import asyncio
import secrets
import signal
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import uvloop

from devcluster.cluster import DevCluster
from devcluster.errors import ProcessFailed
from devcluster.ganesha import GaneshaServer
from devcluster.node.node import Node
from devcluster.process import Process
from release import image

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # In the background and under nohup SIGINT is ignored, which programs inherit: those that tests start and interrupt
    # must hear it. A handler is not inherited; this one leaves the tests themselves as deaf as they were meant to be.
    signal.signal(signal.SIGINT, lambda *_: None)

IN_THE_CONTROLLER = {"conformance", "kube", "nfs", "reconcilers", "shares", "web"}
"""Folders of tests whose subject runs in the controller."""
REAL_PARTS = {"benchmarks", "cli", "deploy", "devcluster", "e2e", "kernel", "programs", "setup", "shares", "web"}
"""Folders of tests about servers, hosts and processes: hardly one of them can do without."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make test-fast`."""
    parser.addoption("--fast", action="store_true", help="leave out what needs a cluster, a server, root or seconds")
    parser.addoption("--all-pages", action="store_true", help="type every guide in Chinese, too: five minutes more")


def pytest_configure(config: pytest.Config) -> None:
    """With --fast no real part is ever started: who asks for one is skipped, and its test with it."""
    if config.getoption("fast"):

        def refuse(process: Process, **_: object) -> None:
            pytest.skip(f"needs {process.name}", allow_module_level=True)

        Process.start = refuse  # type: ignore[method-assign,assignment]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With --fast folders about real parts are not even read."""
    return True if config.getoption("fast") and collection_path.name in REAL_PARTS else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --fast what is marked as slow is left out."""
    if config.getoption("fast"):
        left_out = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


ASLEEP = "berth.io/asleep=:NoSchedule"
"""The taint of the node while tests run that know of none."""


class Failures:
    """Tells of a failure when it happens: a run that is ended from outside never comes to its summary."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            reason = report.longreprtext.strip().rpartition("\n")[2]
            told = f"{report.nodeid}: {report.when} failed after {report.duration:.0f} s: {reason}"
            self._terminal.write(f"\n{told}\n")


def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if isinstance(terminal, pytest.TerminalReporter) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Failures(terminal))


@pytest.fixture(autouse=True)
def _loops(request: pytest.FixtureRequest) -> Iterator[None]:
    """What the controller runs on uvloop is tested on uvloop, all else on asyncio's own loop."""
    if request.path.parent.name in IN_THE_CONTROLLER:
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    yield
    asyncio.set_event_loop_policy(None)


@pytest.fixture(scope="session")
def cluster() -> Iterator[DevCluster]:
    """A control plane and an NFS server, one for the whole run. A test that breaks a part of it mends it again."""
    with DevCluster() as running:
        yield running


@pytest.fixture(autouse=True)
def _whole(request: pytest.FixtureRequest) -> Iterator[None]:
    """Sees to it that the next test finds the cluster whole: its parts serve, and the controller manager follows it."""
    running = request.getfixturevalue("cluster") if "cluster" in request.fixturenames else None
    if not isinstance(running, DevCluster):
        yield
        return
    before = running.apiserver.identity
    yield
    for part in running.processes:
        part.resume()
        if not part.is_running:
            warnings.warn(f"{part.name} has ended with {part.exit_code}:\n{part.log_tail()}", stacklevel=1)
            part.start()
    for part in (running.etcd, running.apiserver, running.controller_manager):
        try:
            part.wait_ready()
        except ProcessFailed as error:
            warnings.warn(f"{error}\n{part.log_tail()}", stacklevel=1)
            part.kill()
            part.start()
    if running.apiserver.identity != before:
        # Another one: its watches can take a minute to come back, in which no claim is bound and no pod is made.
        running.controller_manager.restart()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows what a failed test's cluster said last."""
    report = yield
    running = item.funcargs.get("cluster") if isinstance(item, pytest.Function) else None
    if report.failed and isinstance(running, DevCluster):
        for part in (running.apiserver, running.controller_manager):
            report.sections.append((f"end of {part.name}'s log, running: {part.is_running}", part.log_tail()))
    return report


@pytest.fixture(scope="session")
def nfs_server() -> Iterator[GaneshaServer]:
    """An NFS server without Kubernetes, one for the whole run: the export `/export`, root not squashed."""
    with GaneshaServer() as server:
        yield server


@pytest.fixture(scope="session")
def _node(cluster: DevCluster) -> Node:
    started = cluster.start_node()
    cluster.kubectl("taint", "nodes", started.name, ASLEEP)
    return started


@pytest.fixture(scope="module")
def node(cluster: DevCluster, _node: Node) -> Iterator[Node]:
    """A real node of `cluster`, one for the whole run: pods run, and pods reach NFS at `node.nfs.host`.

    Modules that don't ask for it have a cluster without nodes: it takes no pods of theirs.
    """
    cluster.kubectl("taint", "nodes", _node.name, ASLEEP.replace("=:", ":") + "-")
    yield _node
    cluster.kubectl("taint", "nodes", _node.name, ASLEEP)


@pytest.fixture(scope="session")
def berth_image(_node: Node) -> str:
    """The name of Berth's container image, as it is in this checkout; the node has it."""
    _node.import_images(image.berth())
    return image.NAME


@pytest.fixture
def namespace(cluster: DevCluster) -> Iterator[str]:
    """The name of a fresh namespace. It is removed afterwards, in the background."""
    name = f"test-{secrets.token_hex(4)}"
    cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    yield name
    cluster.request("DELETE", f"/api/v1/namespaces/{name}")
