"""One request, from its description to its answer: credentials, limits, waiting, repeating, and what goes wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from lightkube.config.client_adapter import verify_cluster
from lightkube.config.kubeconfig import SingleConfig
from lightkube.config.models import User
from lightkube.core.exceptions import ConfigError

from berth.kube.answers import explain, failure
from berth.kube.connection import Answer, BrokenAnswer, Connection
from berth.kube.credentials import Credentials
from berth.kube.errors import ConfigurationError, TooManyRequests, Unreachable
from berth.kube.pool import Pool

_WAIT_WITHOUT_ADVICE = 1.0
"""Seconds to wait after a 429 that does not say how long; what the API server itself usually says."""


class RequestObserver(Protocol):
    """Told about every request that ended.

    resource: `persistentvolumes`, `persistentvolumeclaims/status`; code: HTTP status, 0 where no answer came; seconds:
    to the whole answer, or to the head of a watch's.
    """

    def __call__(self, verb: str, resource: str, code: int, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """One request, ready to be sent, and its words for error texts and metrics."""

    verb: str
    resource: str
    key: str
    method: str
    target: str
    body: bytes = b""
    content_type: str = "application/json"

    def __str__(self) -> str:
        return f"{self.verb} {self.resource} {self.key}" if self.key else f"{self.verb} {self.resource}"


class Exchange:
    """Sends requests to the API server of one configuration. ConfigurationError if that can't work."""

    def __init__(
        self,
        config: SingleConfig,
        *,
        timeout: float,
        concurrent_writes: int,
        user_agent: str,
        observer: RequestObserver | None,
    ) -> None:
        url = urlsplit(config.cluster.server)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ConfigurationError(
                f"context {config.context_name!r}: server {config.cluster.server!r} is not an http(s) address"
            )
        self._server: str = config.cluster.server
        self._timeout = timeout
        self._writes = asyncio.Semaphore(concurrent_writes)
        self._observer = observer
        self._credentials = Credentials(config)
        self._path = url.path.rstrip("/")
        self._headers = f"Host: {url.netloc}\r\nUser-Agent: {user_agent}\r\nAccept: application/json\r\n".encode()
        tls = _tls(config) if url.scheme == "https" else None
        self._pool = Pool(url.hostname, url.port or (443 if tls else 80), tls=tls)

    async def aclose(self) -> None:
        """Closes all idle connections."""
        await self._pool.aclose()

    async def answer(self, request: Request) -> Answer:
        """The whole answer, a success. Unreachable, or the StatusError for any other answer."""
        async with self._writes if request.method != "GET" else nullcontext():
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._persist(request)
            except (OSError, BrokenAnswer) as error:
                raise Unreachable(str(request), self._server, explain(error, self._timeout)) from error

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Connection]:
        """An answer of which only the head was read, a success. Unreachable also where reading the rest of it fails."""
        header = await self._credentials.header()
        begin = asyncio.get_running_loop().time()
        code = 0
        try:
            async with self._pool.stream(self._encode(request, header)) as connection:
                async with asyncio.timeout(self._timeout):
                    status = await connection.head()
                    refusal = await connection.whole() if status != 200 else None
                code = status
                self._observe(request, code, begin)
                if refusal is not None:
                    if code == 401:
                        await self._credentials.renew(header)  # for the next try
                    raise failure(str(request), refusal)
                yield connection
        except (OSError, BrokenAnswer) as error:
            if code == 0:
                self._observe(request, 0, begin)
            raise Unreachable(str(request), self._server, explain(error, self._timeout)) from error

    async def _persist(self, request: Request) -> Answer:
        """Sends until there is an answer that counts: again with a new token after 401, again later after 429."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._timeout
        renewed = False
        while True:
            header = await self._credentials.header()
            answer = await self._send(request, header)
            if answer.status < 300:
                return answer
            error = failure(str(request), answer)
            if answer.status == 401 and not renewed and await self._credentials.renew(header):
                renewed = True
                continue
            if not isinstance(error, TooManyRequests):
                raise error
            wait = _WAIT_WITHOUT_ADVICE if error.retry_after is None else error.retry_after
            if clock() + wait >= deadline:
                raise error
            await asyncio.sleep(wait)

    async def _send(self, request: Request, header: bytes) -> Answer:
        begin = asyncio.get_running_loop().time()
        code = 0
        try:
            answer = await self._pool.request(self._encode(request, header), repeatable=request.method == "GET")
            code = answer.status
            return answer
        finally:
            self._observe(request, code, begin)

    def _encode(self, request: Request, authorization: bytes) -> bytes:
        content = b""
        if request.body:
            content = f"Content-Type: {request.content_type}\r\nContent-Length: {len(request.body)}\r\n".encode()
        first = f"{request.method} {self._path}{request.target} HTTP/1.1\r\n".encode()
        return b"".join((first, self._headers, authorization, content, b"\r\n", request.body))

    def _observe(self, request: Request, code: int, begin: float) -> None:
        if self._observer is not None:
            self._observer(request.verb, request.resource, code, asyncio.get_running_loop().time() - begin)


def _tls(config: SingleConfig) -> ssl.SSLContext:
    try:
        return verify_cluster(config.cluster, config.user or User(), config.abs_file)
    except (OSError, ValueError, ConfigError) as error:
        raise ConfigurationError(
            f"context {config.context_name!r}: its certificates can't be used: {explain(error, 0)}"
        ) from error
