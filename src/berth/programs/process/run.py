"""A process from its start to its end: event loop, signals, log, web, and the order in which all of it stops.

Started:  log -> the program's parts are built -> web -> their tasks.
Stopped:  the tasks, the last one first -> web -> the program's connections.
SIGTERM and SIGINT stop it in this order; a second one ends it at once. A task that ends by itself ends the process.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import Coroutine
from contextlib import aclosing, suppress
from typing import Any

import structlog
import uvloop
from prometheus_client import CollectorRegistry

from berth.aio.tasks import TaskEnded, Tasks
from berth.kube.errors import ConfigurationError, KubeError
from berth.programs.process import memory
from berth.programs.process.logs import configure_logs
from berth.programs.process.program import ProcessSettings, Program, S, Work
from berth.web.app import make_app
from berth.web.serve import WebServer

log = structlog.get_logger()


def run(program: Program[S], settings: S) -> bool:
    """Runs a program until the process is told to stop. False: it could not go on, and the log says why.

    ConfigurationError, ListenError: it can't start with these settings.
    """
    configure_logs(settings.log_format, settings.log_level)
    _allow_many_files()
    # On uvloop, which takes a fifth less CPU per claim than asyncio's own loop, and less memory, most of all for TLS.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(program, settings))


def _allow_many_files() -> None:
    """Each share in use takes a connection, and many systems allow a process 1,024 files until it asks for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        log.debug("allowed more open files", before=soft, now=hard)


async def _run(program: Program[S], settings: S) -> bool:
    stopping = asyncio.Event()

    def stop(number: signal.Signals) -> None:
        if stopping.is_set():
            os._exit(128 + number)  # asked twice: now
        log.info("told to stop", signal=number.name)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    registry = CollectorRegistry()
    try:
        work = program.build(settings, registry)
        memory.settle()
        await serve(work, settings, registry, stopping)
    except (TaskEnded, KubeError) as error:
        if isinstance(error, ConfigurationError):
            raise
        log.error("ended", why=str(error))
        return False
    return True


async def serve(work: Work, settings: ProcessSettings, registry: CollectorRegistry, stopping: asyncio.Event) -> None:
    """Does the work, and shows health and metrics where the settings say, until stopping is set.

    ListenError for a taken address; TaskEnded when it can't go on.
    """

    def problem() -> str:
        return "stopping" if stopping.is_set() else work.problem

    web = None
    if settings.listen is not None:
        web = WebServer(make_app(registry=registry, alive=lambda: "", ready=problem), *settings.listen)
    async with aclosing(work), Tasks(grace=settings.stop_deadline) as tasks:
        if web is not None:
            tasks.start("web", web.run(), stop=web.stop)
            log.info("listening", port=web.port)
        tasks.start("memory", memory.give_back())
        await _unless(stopping, work.start(tasks))
        await stopping.wait()
        log.info("stopping", deadline_seconds=settings.stop_deadline)
    log.info("stopped")


async def _unless(stopping: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Awaits work, or cancels it once stopping is set."""
    doing = asyncio.create_task(work, name="start of the work")
    waiting = asyncio.create_task(stopping.wait(), name="stop signal")
    try:
        await asyncio.wait({doing, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
    finally:
        doing.cancel()
        waiting.cancel()
        await asyncio.gather(doing, waiting, return_exceptions=True)
