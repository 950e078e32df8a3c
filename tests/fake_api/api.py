"""The client of an API server in memory: berth.kube's own, with only the wire replaced.

A test decides what happens between two requests, and how one fails: see FakeApi.before and FakeApi.after.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

from lightkube.config.kubeconfig import SingleConfig
from lightkube.config.models import Cluster, Context

from berth.kube.answers import HttpAnswer
from berth.kube.errors import Unreachable, WriteWithheld
from berth.kube.exchange import Exchange, Request, RequestGuard
from berth.kube.manifest import ManifestApi
from berth.kube.reply import Content
from tests.fake_api.server import FakeApiServer

Act = Callable[[], object]

_CONFIG = SingleConfig("fake", Context(cluster="fake", namespace="berth"), Cluster(server="http://api.invalid"), None)


class FakeApi(ManifestApi):
    """An Api and ManifestApi of a FakeApiServer. requests: all that were sent, as `create persistentvolumes pvc-1`."""

    def __init__(self, server: FakeApiServer | None = None) -> None:
        super().__init__(_CONFIG)
        self.cluster = server or FakeApiServer()
        self._wire = _Wire(self.cluster)
        self._exchange: Exchange = self._wire

    @property
    def requests(self) -> list[str]:
        return self._wire.requests

    def before(self, request: str, act: Act, *, times: int = 1) -> Self:
        """Calls act once such a request (`patch persistentvolumes`, or its beginning) comes, before it is answered:
        to change what the caller does not know yet, or to raise what it is to be answered instead.
        """
        self._wire.plans.append(_Plan(request, act, times, is_before=True))
        return self

    def after(self, request: str, act: Act, *, times: int = 1) -> Self:
        """The same once it was carried out, before its answer is told."""
        self._wire.plans.append(_Plan(request, act, times, is_before=False))
        return self

    def lose_answer(self, request: str, *, times: int = 1) -> Self:
        """Such a request is carried out, and nobody hears of it."""
        return self.after(request, lambda: _unreachable(request), times=times)

    def be_down(self, request: str = "", *, times: int = 1) -> Self:
        """Such a request (any, without one) does not get there."""
        return self.before(request, lambda: _unreachable(request), times=times)


@dataclass
class _Plan:
    request: str
    act: Act
    times: int
    is_before: bool


class _Wire(Exchange):
    def __init__(self, server: FakeApiServer) -> None:
        self._fake = server
        self.requests: list[str] = []
        self.plans: list[_Plan] = []

    async def aclose(self) -> None:
        return None

    async def answer(self, request: Request, guard: RequestGuard | None = None) -> HttpAnswer:
        await asyncio.sleep(0)
        why = guard() if guard is not None else ""
        if why:
            raise WriteWithheld(str(request), why)
        self.requests.append(str(request))
        self._carry_out(request, is_before=True)
        body = json.dumps(self._fake.answer(request)).encode()
        self._carry_out(request, is_before=False)
        return HttpAnswer(200, "", body)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Content]:
        await asyncio.sleep(0)
        self.requests.append(str(request))
        self._carry_out(request, is_before=True)
        async with aclosing(self._fake.watch(request)) as lines:
            yield _Lines(lines)

    def _carry_out(self, request: Request, *, is_before: bool) -> None:
        for plan in self.plans:
            if plan.times and plan.is_before == is_before and str(request).startswith(plan.request):
                plan.times -= 1
                plan.act()
                return


class _Lines:
    """As much of a StreamReader as reading lines takes."""

    def __init__(self, lines: AsyncIterator[dict[str, Any]]) -> None:
        self._lines = lines

    async def readany(self, until: float | None = None) -> bytes:
        async with asyncio.timeout_at(until):
            line = await anext(self._lines, None)
        return b"" if line is None else json.dumps(line).encode() + b"\n"


def _unreachable(request: str) -> None:
    raise Unreachable(request or "any request", "http://api.invalid", "connection refused")
