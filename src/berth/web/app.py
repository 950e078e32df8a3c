"""What a running process shows over HTTP: /healthz, /readyz and /metrics."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

HealthCheck = Callable[[], str]
"""Answers what is wrong, in a few words; empty: nothing."""


def make_app(*, registry: CollectorRegistry, alive: HealthCheck, ready: HealthCheck) -> Starlette:
    """alive: the process can still do its work; ready: it does it, or stands by to. Both answer at once."""

    async def healthz(_: Request) -> Response:
        return _answer(alive())

    async def readyz(_: Request) -> Response:
        return _answer(ready())

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)],
    )


def _answer(problem: str) -> Response:
    return PlainTextResponse(problem or "ok", status_code=503 if problem else 200)
