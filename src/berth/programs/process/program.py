"""How a program is declared: what it can be told, what it may do, how it runs in a cluster, and what does its work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from prometheus_client import CollectorRegistry

from berth.aio.tasks import Tasks
from berth.manifests.workload import Workload
from berth.settings.values import Setting


class ProcessSettings(Protocol):
    """The settings that every program has; see settings.process."""

    @property
    def listen(self) -> tuple[str, int] | None: ...
    @property
    def stop_deadline(self) -> float: ...
    @property
    def log_format(self) -> str: ...
    @property
    def log_level(self) -> str: ...


S = TypeVar("S", bound=ProcessSettings)


class Work(Protocol):
    """What a program does, once it is built."""

    @property
    def problem(self) -> str:
        """Why it does not do its work yet, in a few words for /readyz; empty: it does, or stands by to."""

    async def start(self, tasks: Tasks) -> None:
        """Starts its parts as tasks, and returns once its work goes on by itself. They are stopped in the opposite
        order. Cancelled where the process is told to stop before.
        """

    async def aclose(self) -> None:
        """Closes its connections, when all tasks have ended."""


@dataclass(frozen=True, slots=True)
class Program(Generic[S]):
    """One program, as `berth run NAME`, manifests and roles know it."""

    purpose: str
    """What it does, in a few words: `Serve claims: the controller process.`"""
    settings: tuple[Setting[Any], ...]
    """What it can be told by flags and variables, in the order of `--help`."""
    load: Callable[[Mapping[str, str], Mapping[str, str]], S]
    """Its settings from (environment, flags that were given). SettingError."""
    build: Callable[[S, CollectorRegistry], Work]
    """Its parts, with their metrics. ConfigurationError when it is not known how to reach the API server."""
    workload: Workload
    """How it runs in a cluster, and its rights there."""
