"""An NFS server for what is special to each way of touching a share, and coroutines as tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from berth.nfs import Resolver
from berth.shares.direct.share import DirectShare
from devcluster.ganesha import Export, GaneshaServer
from tests.conformance.places import address
from tests.coroutines import pytest_pyfunc_call  # noqa: F401 - a hook

EXPORTS = [Export("/free"), Export("/squashed", squash="root_squash"), Export("/fixed", read_only=True)]


@pytest.fixture(scope="module")
def server() -> Iterator[GaneshaServer]:
    """An NFS server of the module's own: its tests may stop it, if they start it again."""
    with GaneshaServer(exports=EXPORTS) as running:
        yield running


@pytest.fixture(params=["3", "4"], ids=["v3", "v4"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_share(server: GaneshaServer) -> Callable[..., DirectShare]:
    """Makes a share on the server: export, version, and what else DirectShare takes. The test closes it."""

    def make(export: str, version: str = "", **options: float) -> DirectShare:
        return DirectShare(address(server, export, version), Resolver(), **options)  # type: ignore[arg-type]

    return make
