"""How the suite runs: once for each kind of share, coroutines as tests, the share closed in the loop it was used in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devcluster.ganesha import GaneshaServer
from tests.conformance.places import FREE, MAKERS, SQUASHED, Place
from tests.coroutines import pytest_pyfunc_call  # noqa: F401 - a hook


@pytest.fixture(scope="session")
def exporting_server() -> Iterator[GaneshaServer]:
    """One NFS server with an export that squashes root and one that does not."""
    with GaneshaServer(exports=[FREE, SQUASHED]) as server:
        yield server


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test once for each kind of share; those that need a file system's own means (on_disk) not for memory."""
    if "place" in metafunc.fixturenames:
        needs_disk = metafunc.definition.get_closest_marker("on_disk") is not None
        kinds: list[object] = [] if needs_disk or "memory" not in MAKERS else ["memory"]
        kinds += [pytest.param(kind, marks=pytest.mark.slow) for kind in MAKERS if kind != "memory"]
        metafunc.parametrize("place", kinds, indirect=True)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A fresh, empty share of each kind."""
    return MAKERS[request.param](lambda: request.getfixturevalue("exporting_server"), tmp_path)


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory outside the share, with a file in it that must survive whatever links point to it."""
    directory = tmp_path_factory.mktemp("elsewhere")
    (directory / "precious").write_text("content")
    directory.chmod(0o777)
    return directory
