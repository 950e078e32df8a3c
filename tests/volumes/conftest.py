"""How the tests of the rules run: coroutines as tests, and Hypothesis without a clock (the machine may be busy)."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from hypothesis import settings

settings.register_profile("volumes", deadline=None, print_blob=True)
settings.load_profile("volumes")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a test that is a coroutine function, in a loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    asyncio.run(pyfuncitem.obj(**arguments))
    return True
