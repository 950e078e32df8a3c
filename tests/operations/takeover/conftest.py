"""Coroutines as tests, on a clock that jumps: nobody waits for a lock to expire."""

from __future__ import annotations

import pytest

from tests.aio.virtual_time import run_virtual
from tests.coroutines import run_test
from tests.operations.takeover.town import Town


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a test that is a coroutine function."""
    return run_test(pyfuncitem, run_virtual)


@pytest.fixture
def town() -> Town:
    """An old provisioner at work, and no Berth yet."""
    return Town()
