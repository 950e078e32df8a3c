"""Who we are to the API server: the Authorization header, renewed when the server no longer accepts it.

The ways to get one (token, token file that is rotated, exec plugin, password) are lightkube's; client certificates are
not headers and belong to the TLS context.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from pathlib import Path

import httpx2
from lightkube.config.client_adapter import user_auth
from lightkube.config.kubeconfig import SingleConfig
from lightkube.core.exceptions import ConfigError

from berth.kube.errors import ConfigurationError

_FRESH = 60.0
"""Seconds after which a token file is read again: kubelets replace tokens long before they expire, and API servers keep
a list of those who use old ones."""


class Credentials:
    """The Authorization header of one configuration."""

    def __init__(self, config: SingleConfig) -> None:
        try:
            self._auth = user_auth(config.user)
        except ConfigError as error:
            raise ConfigurationError(f"context {config.context_name!r}: {error}") from error
        self._url = config.cluster.server
        self._plugin = str(config.user.exec.command) if config.user is not None and config.user.exec else ""
        self._header: str | None = None if self._auth is not None else ""
        self._renewing = asyncio.Lock()
        self._token_file = config.user.token_file if config.user is not None else None
        self._fresh_until = 0.0

    @property
    def known(self) -> str | None:
        """The header's value, if nobody has to be asked for it; None: see header."""
        if self._header is not None and self._token_file:
            self._freshen(self._token_file)
        return self._header

    async def header(self) -> str:
        """The header's value, or nothing at all. ConfigurationError when the token can't be had."""
        if self._header is None:
            await self.renew(None)
        if self._token_file:
            self._freshen(self._token_file)
        assert self._header is not None
        return self._header

    async def renew(self, refused: str | None) -> bool:
        """Fetches the token again after the server refused the header; False: there is no other to be had."""
        async with self._renewing:
            if self._header != refused:
                return True  # another request had it renewed in the meantime
            if self._auth is None:
                return False
            try:
                self._header = await self._fetch(again=refused is not None)
            except OSError as error:
                what = f"{self._plugin}: {error.strerror}" if self._plugin else str(error)
                raise ConfigurationError(f"no token for {self._url}: {what}") from error
            except (ConfigError, ValueError, KeyError) as error:
                raise ConfigurationError(f"no token for {self._url}: {error}") from error
            return self._header != refused

    def _freshen(self, token_file: str) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._fresh_until:
            self._fresh_until = now + _FRESH
            with suppress(OSError):  # while it is being replaced, the token we have still counts
                token = Path(token_file).read_text().strip()
                self._header = f"Bearer {token}" if token else self._header

    async def _fetch(self, *, again: bool) -> str:
        # An httpx auth flow hands out a request with a header, is sent the response, and may hand out one with a
        # better header.
        assert self._auth is not None
        async with aclosing(self._auth.async_auth_flow(httpx2.Request("GET", self._url))) as flow:
            request = await anext(flow)
            if again:
                with suppress(StopAsyncIteration):
                    request = await flow.asend(httpx2.Response(401, request=request))
            return str(request.headers["Authorization"])
