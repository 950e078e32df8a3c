"""Coroutines as tests: for a conftest to import."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, runtime_checkable

import pytest


@runtime_checkable
class Closable(Protocol):
    """What has to be closed in the loop that it was used in."""

    async def aclose(self) -> None: ...


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a test that is a coroutine function, in a loop of its own, and closes there what it was given."""
    return run_test(pyfuncitem, asyncio.run)


def run_test(pyfuncitem: pytest.Function, run: Callable[[Coroutine[Any, Any, None]], None]) -> bool | None:
    """The same by way of run."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments: dict[str, Any] = {
        name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters
    }

    async def main() -> None:
        try:
            await pyfuncitem.obj(**arguments)
        finally:
            for argument in arguments.values():
                if isinstance(argument, Closable):
                    await argument.aclose()

    run(main())
    return True
