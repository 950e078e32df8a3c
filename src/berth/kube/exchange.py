"""One request, from its description to its answer: credentials, limits, waiting, repeating, and what goes wrong.

HTTP is spoken here (channel), as Berth makes two requests for each claim and each release: the client below lightkube
(httpx2) costs 1 ms of CPU for each, aiohttp 0.2 ms, this one less than half of that.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, urlsplit

from lightkube.config.client_adapter import verify_cluster
from lightkube.config.kubeconfig import SingleConfig
from lightkube.config.models import User
from lightkube.core.exceptions import ConfigError

from berth.kube.answers import HttpAnswer, explain, failure
from berth.kube.channels import Channels, Way, authorization_of
from berth.kube.credentials import Credentials
from berth.kube.errors import ConfigurationError, TooLarge, TooManyRequests, Unreachable, WriteWithheld
from berth.kube.reply import Content, OverLong, Reply
from berth.settings.proxy import proxy_for

_WAIT_WITHOUT_ADVICE = 1.0
"""Seconds to wait after a 429 that does not say how long, or says none at all; what the API server usually says."""
MOST = 16 << 20
"""Bytes of one answer. Objects have up to 1.5 MiB, and whoever asks for many at once can ask for fewer."""
_AGAIN = frozenset({"GET", "PUT", "DELETE"})
"""What may be sent once more where a kept connection turns out to be closed."""
_TARGET, _VALUE = re.compile(r"/[!-~]*"), re.compile(r"[ -~]*")
"""What can stand in a request, and end no line of it."""


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
        tls, proxy = _tls(config) if url.scheme == "https" else None, proxy_for(config.cluster.server)
        way = Way(url, tls, proxy)
        self._channels = Channels(way)
        self._root = way.before_paths + quote(url.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
        # identity: packing costs the API server more than it saves on its network, and answers are read as they come.
        self._fields = (
            f" HTTP/1.1\r\nHost: {way.host}\r\nUser-Agent: {user_agent}\r\nAccept: application/json\r\n"
            "Accept-Encoding: identity\r\n"
        )
        if proxy and tls is None and (words := authorization_of(urlsplit(proxy))):
            self._fields += f"Proxy-Authorization: {words}\r\n"

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._channels.aclose()

    async def answer(self, request: Request, guard: RequestGuard | None = None) -> HttpAnswer:
        """The whole answer, a success. Unreachable, or the StatusError for any other answer.

        guard: asked before each time the request is sent, after any waiting; if it has a reason, WriteWithheld.
        """
        async with self._writes if request.method != "GET" else nullcontext():
            try:
                return await self._persist(request, guard)
            except OSError as error:
                raise Unreachable(str(request), self._server, explain(error, self._timeout)) from error

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Content]:
        """An answer of which only the head was read, a success. Unreachable also where reading the rest of it fails."""
        begin = asyncio.get_running_loop().time()
        deadline = begin + self._timeout
        code = 0
        try:
            authorization = await self._authorization(deadline)
            channel = await self._channels.take(deadline)
            try:
                async with asyncio.timeout_at(deadline):
                    reply = channel.ask(self._message(request, authorization), request.most, is_stream=True)
                    status = await reply.head()
                    refusal = None
                    if status != 200:
                        refusal = HttpAnswer(status, _advice(reply), await _all_of(request, reply))
                code = status
                self._observe(request, code, begin)
                if refusal is not None:
                    if code == 401:
                        await self._renew(authorization, deadline)  # for the next try
                    raise failure(str(request), refusal)
                yield reply
            finally:
                channel.close()  # a watch has no end to wait for
                self._channels.give_back(channel)
        except OSError as error:
            if code == 0:
                self._observe(request, 0, begin)
            raise Unreachable(str(request), self._server, explain(error, self._timeout)) from error

    async def _persist(self, request: Request, guard: RequestGuard | None) -> HttpAnswer:
        """Sends until there is an answer that counts: again with a new token after 401, again later after 429."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._timeout
        renewed = False
        while True:
            authorization = await self._authorization(deadline)
            answer = await self._send(request, authorization, guard, deadline)
            if answer.status < 300:
                return answer
            error = failure(str(request), answer)
            if answer.status == 401 and not renewed and await self._renew(authorization, deadline):
                renewed = True
                continue
            if not isinstance(error, TooManyRequests):
                raise error
            wait = max(_WAIT_WITHOUT_ADVICE, error.retry_after or 0.0)
            if clock() + wait >= deadline:
                raise error
            await asyncio.sleep(wait)

    async def _authorization(self, deadline: float) -> str:
        known = self._credentials.known
        if known is not None:
            return known
        async with asyncio.timeout_at(deadline):
            return await self._credentials.header()

    async def _renew(self, refused: str, deadline: float) -> bool:
        async with asyncio.timeout_at(deadline):
            return await self._credentials.renew(refused)

    async def _send(
        self, request: Request, authorization: str, guard: RequestGuard | None, deadline: float
    ) -> HttpAnswer:
        message = self._message(request, authorization)
        begin = asyncio.get_running_loop().time()
        code = 0
        try:
            answer = await self._ask(request, message, guard, deadline)
            code = answer.status
            return answer
        finally:
            self._observe(request, code, begin)

    async def _ask(self, request: Request, message: bytes, guard: RequestGuard | None, deadline: float) -> HttpAnswer:
        is_again = False
        while True:
            channel = await self._channels.take(deadline, fresh=is_again)
            timer = None
            try:
                if guard is not None and (why := guard()):
                    raise WriteWithheld(str(request), why)
                reply = channel.ask(message, request.most)
                timer = channel.loop.call_at(deadline, reply.late)
                body = await reply.whole()
                return HttpAnswer(reply.status, _advice(reply), body)
            except OverLong:
                raise TooLarge(str(request), request.most) from None
            except ConnectionError:
                if is_again or not channel.is_kept or channel.has_heard or request.method not in _AGAIN:
                    raise
                is_again = True
            finally:
                if timer is not None:
                    timer.cancel()
                self._channels.give_back(channel)

    def _message(self, request: Request, authorization: str) -> bytes:
        """A request as it is sent, in one piece."""
        if _TARGET.fullmatch(request.target) is None or _VALUE.fullmatch(authorization) is None:
            raise ConfigurationError(f"{request}: what was to be sent holds characters that HTTP does not take")
        head = f"{request.method} {self._root}{request.target}{self._fields}"
        if authorization:
            head += f"Authorization: {authorization}\r\n"
        if request.body:
            head += f"Content-Type: {request.content_type}\r\nContent-Length: {len(request.body)}\r\n"
        elif request.method != "GET":
            head += "Content-Length: 0\r\n"
        return f"{head}\r\n".encode() + request.body

    def _observe(self, request: Request, code: int, begin: float) -> None:
        if self._observer is not None:
            self._observer(request.verb, request.resource, code, asyncio.get_running_loop().time() - begin)


def _advice(reply: Reply) -> str:
    """The header Retry-After, empty without one."""
    return reply.fields.get(b"retry-after", b"").decode("latin-1")


async def _all_of(request: Request, reply: Reply) -> bytes:
    """All that comes of a stream."""
    parts, left = [], request.most
    while part := await reply.readany():
        parts.append(part)
        left -= len(part)
        if left < 0:
            raise TooLarge(str(request), request.most)
    return b"".join(parts)


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
