"""A real NFS server with an export for every fault that a server's settings can make; coroutines as tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devcluster.ganesha import Export, GaneshaServer
from tests.conformance.coroutines import pytest_pyfunc_call  # noqa: F401 - a hook

EXPORTS = (
    Export("/free"),
    Export("/squashed", squash="root_squash"),
    Export("/all-squashed", squash="all_squash"),
    Export("/fixed", read_only=True),
    Export("/reserved", reserved_ports=True),
    Export("/theirs", client="192.0.2.0/24"),
    Export("/only3", protocols="3"),
    Export("/only4", protocols="4"),
    Export("/removed"),
    Export("/owned", squash="root_squash"),
    Export("/closed", squash="root_squash"),
)


@pytest.fixture(scope="module")
def server() -> Iterator[GaneshaServer]:
    """The module's own: its tests may stop it, if they start it again."""
    with GaneshaServer(exports=EXPORTS) as running:
        yield running
