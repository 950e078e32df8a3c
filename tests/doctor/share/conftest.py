"""A real NFS server with an export for every fault that a server's settings can make; coroutines as tests."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress

import pytest

from devcluster.ganesha import Export, GaneshaServer
from tests.coroutines import pytest_pyfunc_call  # noqa: F401 - a hook

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
    Export("/full"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GaneshaServer]:
    """The module's own: its tests may stop it, if they start it again. Behind /full is a file system without room."""
    made = GaneshaServer(tmp_path_factory.mktemp("nfs"), exports=EXPORTS)
    full = made.directory_of("/full")
    full.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0777", "tmpfs", str(full)], check=True)
    try:
        with suppress(OSError):
            (full / "content").write_bytes(bytes(1 << 20))
        with made as running:
            yield running
    finally:
        subprocess.run(["umount", str(full)], check=True)
