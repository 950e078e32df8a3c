"""Serving an app with uvicorn, inside a process whose signals and logs are its own."""

from __future__ import annotations

import socket
from contextlib import AbstractContextManager, nullcontext
from math import ceil

import uvicorn
from starlette.applications import Starlette

from berth.web.guard import MOST_HEAD, REQUEST_SECONDS, GuardedProtocol


class ListenError(Exception):
    """The address can't be listened on; one sentence."""


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the program decides when to stop."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()


class WebServer:
    """One app on one address. The socket is opened at once, so that a wrong address fails before any work begins."""

    def __init__(self, app: Starlette, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((host, port))
            self._socket.listen()  # a probe that comes before run waits for its answer
        except OSError as error:
            self._socket.close()
            shown = f"[{host}]" if ":" in host else host
            raise ListenError(f"can't listen on {shown}:{port}: {error.strerror or error}") from error
        self._server = _Server(
            uvicorn.Config(
                app,
                http=GuardedProtocol,
                ws="none",
                lifespan="off",
                proxy_headers=False,  # there is no proxy in front
                log_config=None,
                log_level="error",  # what strangers do wrong is no news
                access_log=False,
                h11_max_incomplete_event_size=MOST_HEAD,
                timeout_graceful_shutdown=ceil(REQUEST_SECONDS),
            )
        )

    @property
    def port(self) -> int:
        """The port that is listened on, also where 0 was asked for."""
        return int(self._socket.getsockname()[1])

    async def run(self) -> None:
        """Serves until stop."""
        await self._server.serve(sockets=[self._socket])

    async def stop(self) -> None:
        """Stops serving; answers under way are finished."""
        self._server.should_exit = True
