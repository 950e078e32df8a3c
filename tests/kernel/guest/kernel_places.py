"""A pytest plugin: the conformance suite's shares are the direct share on exports of this kernel's own NFS server."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from berth.nfs import Resolver
from berth.shares.direct.share import DirectShare
from berth.volumes.share import ShareAddress
from tests.conformance import places
from tests.coroutines import pytest_pyfunc_call  # noqa: F401 - a hook, for what lies outside the suite

SERVER, ROOT = "127.0.0.1", Path("/srv/xfs")

_numbers = itertools.count(1)


def _place_on(export: str, version: str) -> places.Maker:
    def make(_start: object, _directory: Path) -> places.Place:
        path = f"{export}/share-{next(_numbers)}"
        directory = ROOT / path.removeprefix("/")
        directory.mkdir()
        owner = places.OWNER if export == "/squashed" else 0
        os.chown(directory, owner, owner)
        leave = places.Leave()
        share = DirectShare(ShareAddress(SERVER, path, version), Resolver(), guard=leave)
        return places.Place(share, directory, owner, leave)

    return make


_LEFT_OUT = {
    # Nothing of what they show is another server's business, and they take thousands of calls, or seconds.
    "test_a_deep_tree",
    "test_a_wide_tree",
    "test_a_reader_never_sees_a_part",
    "test_many_writers_of_many_files",
    "test_stopped_in_the_middle_it_goes_on_later",
    "test_a_link_that_is_there_for_a_moment_only_leads_nowhere",
}


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Puts these shares in the place of the suite's own: before its conftest reads them, and only as a plugin."""
    places.MAKERS.clear()
    for version in ("3", "4"):
        places.MAKERS[f"v{version}-free"] = _place_on("/free", version)
        places.MAKERS[f"v{version}-squashed"] = _place_on("/squashed", version)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what says nothing about a server, and of the many cases of links all but those that lead outside."""
    left_out = [
        item
        for item in items
        if isinstance(item, pytest.Function)
        and (
            item.originalname in _LEFT_OUT
            or (item.originalname == "test_no_link_is_followed" and item.callspec.params["target"] != "outside")
        )
    ]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
