"""One request, from its description to its answer: credentials, limits, waiting, repeating, and what goes wrong.

HTTP is aiohttp's. The client below lightkube (httpx2) costs 1 ms of CPU for each request, aiohttp 0.2 ms, and Berth
makes two for each claim and each release.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
from lightkube.config.client_adapter import verify_cluster
from lightkube.config.kubeconfig import SingleConfig
from lightkube.config.models import User
from lightkube.core.exceptions import ConfigError
from yarl import URL

from berth.kube.answers import HttpAnswer, explain, failure
from berth.kube.credentials import Credentials
from berth.kube.errors import ConfigurationError, TooLarge, TooManyRequests, Unreachable, WriteWithheld
from berth.kube.proxy import proxy_for

_WAIT_WITHOUT_ADVICE = 1.0
"""Seconds to wait after a 429 that does not say how long, or says none at all; what the API server usually says."""
MOST = 16 << 20
"""Bytes of one answer. Objects have up to 1.5 MiB, and whoever asks for many at once can ask for fewer."""
_KEPT_IDLE = 30.0
"""Seconds; below the idle limits of API servers (90 s) and of the load balancers in front of them (50 s and more)."""


RequestGuard = Callable[[], str]
"""Why nothing may be written now; empty while it may. Must answer at once."""


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
    most: int = MOST
    """Bytes that its answer may have: TooLarge beyond."""

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
        self._root = config.cluster.server.rstrip("/")
        # identity: packing costs the API server more than it saves on its network, and answers are read as they come.
        self._headers = {"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "identity"}
        self._tls = _tls(config) if url.scheme == "https" else None
        self._proxy = proxy_for(config.cluster.server)
        self._session: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        """Closes all connections."""
        if self._session is not None:
            await self._session.close()

    async def answer(self, request: Request, guard: RequestGuard | None = None) -> HttpAnswer:
        """The whole answer, a success. Unreachable, or the StatusError for any other answer.

        guard: asked before each time the request is sent, after any waiting; if it has a reason, WriteWithheld.
        """
        async with self._writes if request.method != "GET" else nullcontext():
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._persist(request, guard)
            except (OSError, aiohttp.ClientError) as error:
                raise Unreachable(str(request), self._server, explain(error, self._timeout)) from error

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[aiohttp.StreamReader]:
        """An answer of which only the head was read, a success. Unreachable also where reading the rest of it fails."""
        authorization = await self._credentials.header()
        begin = asyncio.get_running_loop().time()
        code = 0
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._open(request, authorization)
            try:
                refusal = None
                if response.status != 200:
                    async with asyncio.timeout(self._timeout):
                        refusal = await _whole(request, response)
                code = response.status
                self._observe(request, code, begin)
                if refusal is not None:
                    if code == 401:
                        await self._credentials.renew(authorization)  # for the next try
                    raise failure(str(request), refusal)
                yield response.content
            finally:
                response.close()  # a watch has no end to wait for
        except (OSError, aiohttp.ClientError) as error:
            if code == 0:
                self._observe(request, 0, begin)
            raise Unreachable(str(request), self._server, explain(error, self._timeout)) from error

    async def _persist(self, request: Request, guard: RequestGuard | None) -> HttpAnswer:
        """Sends until there is an answer that counts: again with a new token after 401, again later after 429."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._timeout
        renewed = False
        while True:
            authorization = await self._credentials.header()
            why = guard() if guard is not None else ""
            if why:
                raise WriteWithheld(str(request), why)
            answer = await self._send(request, authorization)
            if answer.status < 300:
                return answer
            error = failure(str(request), answer)
            if answer.status == 401 and not renewed and await self._credentials.renew(authorization):
                renewed = True
                continue
            if not isinstance(error, TooManyRequests):
                raise error
            wait = max(_WAIT_WITHOUT_ADVICE, error.retry_after or 0.0)
            if clock() + wait >= deadline:
                raise error
            await asyncio.sleep(wait)

    async def _send(self, request: Request, authorization: str) -> HttpAnswer:
        begin = asyncio.get_running_loop().time()
        code = 0
        try:
            async with await self._open(request, authorization) as response:
                answer = await _whole(request, response)
            code = answer.status
            return answer
        finally:
            self._observe(request, code, begin)

    async def _open(self, request: Request, authorization: str) -> aiohttp.ClientResponse:
        headers = {"Authorization": authorization} if authorization else {}
        if request.body:
            headers["Content-Type"] = request.content_type
        return await self._http().request(
            request.method,
            URL(self._root + request.target, encoded=True),
            data=request.body or None,
            headers=headers,
            allow_redirects=False,
            proxy=self._proxy,
        )

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:  # not in the constructor: a session belongs to the running event loop
            connector = aiohttp.TCPConnector(
                limit=0, keepalive_timeout=_KEPT_IDLE, ssl=True if self._tls is None else self._tls
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                headers=self._headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),  # deadlines are set above, for whole requests
                auto_decompress=False,
                # Asked for proxies and .netrc, aiohttp goes to a thread twice for each request.
                trust_env=False,
            )
        return self._session

    def _observe(self, request: Request, code: int, begin: float) -> None:
        if self._observer is not None:
            self._observer(request.verb, request.resource, code, asyncio.get_running_loop().time() - begin)


async def _whole(request: Request, response: aiohttp.ClientResponse) -> HttpAnswer:
    parts, left = [], request.most
    while part := await response.content.readany():
        parts.append(part)
        left -= len(part)
        if left < 0:
            response.close()
            raise TooLarge(str(request), request.most)
    return HttpAnswer(response.status, response.headers.get("Retry-After", ""), b"".join(parts))


def _tls(config: SingleConfig) -> ssl.SSLContext:
    user = config.user or User()
    try:
        return verify_cluster(config.cluster, user, config.abs_file)
    except (OSError, ValueError, ConfigError) as error:
        files = [path for path in (config.cluster.certificate_auth, user.client_cert, user.client_key) if path]
        where = f" ({', '.join(files)})" if files else ""
        raise ConfigurationError(
            f"context {config.context_name!r}: its certificates{where} can't be used: {explain(error, 0)}"
        ) from error
