"""`berth server …` on a host of one's own: tests that ask for a room run inside it, as root."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from berth.cli.main import cli
from tests.nfsserver.conftest import room  # noqa: F401 - a fixture
from tests.nfsserver.room import Room, run_inside

Berth = Callable[..., Result]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a test inside its room, if it has one."""
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    rooms = [value for value in arguments.values() if isinstance(value, Room)]
    if not rooms:
        return None
    run_inside(rooms[0], lambda: asyncio.to_thread(pyfuncitem.obj, **arguments))
    return True


@pytest.fixture
def berth() -> Berth:
    """Runs `berth server` with arguments, in this process; settings: environment variables."""

    def run(*arguments: str, **settings: str) -> Result:
        environment: dict[str, str | None] = {"LC_ALL": "C.UTF-8", **settings}
        return CliRunner().invoke(cli, ["server", *arguments], env=environment)

    return run
