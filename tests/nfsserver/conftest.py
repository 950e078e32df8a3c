"""Tests of the host's side: coroutines as tests, and those that ask for a room run inside it, as root."""

from __future__ import annotations

import asyncio
import inspect
import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.nfsserver.room import Room, run_inside

settings.register_profile("nfsserver", deadline=None, print_blob=True)
settings.load_profile("nfsserver")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a test that is a coroutine function in a loop of its own, and inside its room if it has one."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    rooms = [value for value in arguments.values() if isinstance(value, Room)]
    if rooms:
        run_inside(rooms[0], lambda: pyfuncitem.obj(**arguments))
    else:
        asyncio.run(pyfuncitem.obj(**arguments))
    return True


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """A host of one's own, with nothing exported."""
    if os.geteuid():
        pytest.skip("a mount namespace of one's own takes root")
    return Room(tmp_path)
