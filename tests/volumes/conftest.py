"""How the tests of the rules run: coroutines as tests, and Hypothesis without a clock (the machine may be busy)."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from berth.volumes.share import ShareAddress
from tests.volumes.bench import Bench
from tests.volumes.builders import EXPORT, SERVER, Life
from tests.volumes.directory import DirectoryShare
from tests.volumes.memory import MemoryShare

settings.register_profile("volumes", deadline=None, print_blob=True)
settings.load_profile("volumes")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a test that is a coroutine function, in a loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    share: Any = arguments.get("share")
    asyncio.run(_close_behind(pyfuncitem.obj(**arguments), share))
    return True


async def _close_behind(test: Coroutine[object, object, None], share: Bench | None) -> None:
    try:
        await test
    finally:
        if share is not None:
            await share.aclose()


@pytest.fixture(params=["memory", pytest.param("mounted", marks=pytest.mark.slow)])
def share(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """An empty share, the one that classes without a share of their own use: in memory, and a real one."""
    address = ShareAddress(SERVER, EXPORT)
    return MemoryShare(address) if request.param == "memory" else DirectoryShare(tmp_path, address)


@pytest.fixture
def lifecycle() -> Life:
    """The doings of the cluster that most tests are about."""
    return Life("cluster-1")


@pytest.fixture
def other_cluster() -> Life:
    """Another cluster's doings."""
    return Life("cluster-2")
