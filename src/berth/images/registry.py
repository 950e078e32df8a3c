"""One repository of one registry, by the OCI Distribution Specification 1.1 (Push): what is there, and putting more.

* Every call ends: after `patience` seconds in which not a byte moved, with a RegistryError, which is one sentence.
* Every call can be repeated; Lost says where that is worth it. A blob is sent whole, and appears only when the registry
  has held it against its digest. Nothing is followed elsewhere, and a login leaves only for the registry and for the
  token server that it names.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode, urljoin, urlsplit

import httpx2

from berth.images.archive import INDEX, MANIFEST, Blob
from berth.images.authority import Challenge, challenges, token_request
from berth.images.errors import RegistryError
from berth.images.failures import Answer, RegistryFailures
from berth.images.login import Find, Login
from berth.images.reference import Repository
from berth.images.texts import say
from berth.images.trust import CertificateTrust
from berth.settings.proxy import proxy_for

PATIENCE = 60.0
_CONNECTING = 15.0
_MOST = 1 << 20
"""Bytes of an answer that are read: tokens and errors are short."""
_MANIFESTS = ", ".join((INDEX, MANIFEST))
_HEADERS = {"User-Agent": "berth", "Accept-Encoding": "identity"}

Told = Callable[[int], None]
"""Called with the number of bytes that were sent."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What is sent: its size, and how it is read from the beginning."""

    size: int
    pieces: Callable[[], Iterator[bytes]]


class Registry:
    """Use it with `async with`; `greet` comes first."""

    def __init__(
        self, repository: Repository, find: Find, trust: CertificateTrust | None = None, *, patience: float = PATIENCE
    ) -> None:
        """find: asked for a login once the registry wants one."""
        self.repository = repository
        self.login: Login | None = None
        """The one that the registry was shown, or would have been."""
        self._find = find
        self._trust = trust or CertificateTrust()
        self._timeout = httpx2.Timeout(patience, connect=min(patience, _CONNECTING), pool=None)
        self._failures = RegistryFailures(repository, patience)
        self._clients: dict[str, httpx2.AsyncClient] = {}
        self._closing = AsyncExitStack()
        self._origin = f"https://{repository.api}"
        self._authorization = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._closing.aclose()

    @property
    def is_plain(self) -> bool:
        """Whether it speaks without TLS."""
        return self._origin.startswith("http:")

    async def greet(self) -> None:
        """Finds out how the registry speaks, and logs in. RegistryError where it is none, or wants another login."""
        answer = await self._first_answer()
        if answer.status == 401:
            await self._log_in(answer)
        elif answer.status != 200 or "html" in answer.headers.get("content-type", ""):
            raise self._failures.no_registry(answer)

    async def _first_answer(self) -> Answer:
        try:
            return await self._ask("GET", f"{self._origin}/v2/")
        except RegistryError as error:
            # Not everything that has no TLS says so: some are just silent, or hang up.
            if not self._trust.is_insecure or error.__cause__ is None:
                raise
            self._origin = f"http://{self.repository.api}"
            with suppress(RegistryError):
                return await self._ask("GET", f"{self._origin}/v2/")
            raise

    async def has_blob(self, digest: str) -> bool:
        """Whether the content is there already, under this name."""
        answer = await self._call("HEAD", f"blobs/{digest}", accept=(404,))
        return answer.status != 404

    async def put_blob(self, blob: Blob, pieces: Callable[[], Iterator[bytes]], told: Told) -> None:
        """Sends a blob from its beginning to its end; it is there when this returns."""
        begun = await self._call("POST", "blobs/uploads/")
        place = begun.headers.get("location", "")
        if not place:
            raise self._failures.refusal(begun)
        target = self._joined(place, blob.digest)

        def counted() -> Iterator[bytes]:
            for piece in pieces():
                yield piece
                told(len(piece))

        headers = {"Content-Type": "application/octet-stream"}
        await self._call("PUT", target, headers=headers, content=Payload(blob.size, counted))

    async def manifest_digest(self, reference: str) -> str:
        """What a tag or digest stands for; empty where it stands for nothing."""
        headers = {"Accept": _MANIFESTS}
        answer = await self._call("HEAD", f"manifests/{reference}", headers=headers, accept=(404,))
        if answer.status == 404:
            return ""
        return answer.headers.get("docker-content-digest") or await self._hashed(reference, headers)

    async def _hashed(self, reference: str, headers: Mapping[str, str]) -> str:
        """The digest of a manifest, where the registry does not tell it."""
        answer = await self._call("GET", f"manifests/{reference}", headers=headers)
        return f"sha256:{hashlib.sha256(answer.body).hexdigest()}"

    async def put_manifest(self, reference: str, kind: str, body: bytes) -> None:
        """Puts a manifest under a tag or its digest. All that it names must be there."""
        content = Payload(len(body), lambda: iter((body,)))
        await self._call("PUT", f"manifests/{reference}", headers={"Content-Type": kind}, content=content)

    async def _call(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: Payload | None = None,
        accept: tuple[int, ...] = (),
    ) -> Answer:
        """A success, or one of the accepted answers; logs in where the registry asks for it."""
        url = target if "://" in target else f"{self._origin}/v2/{self.repository.name}/{target}"
        answer = await self._ask(method, url, headers=headers, content=content)
        if answer.status == 401:
            await self._log_in(answer)
            answer = await self._ask(method, url, headers=headers, content=content)
        # A blob may lie elsewhere: then it is there. Nothing that is sent may be sent on.
        if answer.status < (400 if method == "HEAD" else 300) or answer.status in accept:
            return answer
        raise self._failures.refusal(answer)

    async def _log_in(self, answer: Answer) -> None:
        """Takes up what the registry asks for. RegistryError where that was tried already, or can't be had."""
        self._failures.was_asked = True
        if self.login is None:
            self.login = self._failures.login = await self._find()
        wanted = next(challenges(answer.headers.get("www-authenticate", "")), None)
        before = self._authorization
        match wanted:
            case Challenge(kind="basic") if self.login is not None and self.login.username:
                self._authorization = self.login.basic
            case Challenge(kind="bearer"):
                self._authorization = f"Bearer {await self._token(wanted)}"
            case _:
                raise self._failures.refusal(answer)
        if self._authorization == before:
            raise self._failures.refusal(answer)

    async def _token(self, wanted: Challenge) -> str:
        """A token for this repository. RegistryError."""
        realm = urlsplit(wanted.realm)
        if (
            realm.scheme not in ("http", "https")
            or not realm.hostname
            or (realm.scheme == "http" and self._origin.startswith("https:"))
        ):
            raise RegistryError(say("token.realm", registry=self.repository.registry, realm=wanted.realm))
        method, url, headers, body = token_request(wanted, self.repository.name, self.login)
        content = Payload(len(body), lambda: iter((body,))) if body else None
        answer = await self._ask(method, url, headers=headers, content=content)
        if answer.status != 200:
            raise self._failures.no_token(answer, realm.netloc)
        match answer.json:
            case {"token": str(token)} | {"access_token": str(token)} if token.isascii() and token.isprintable():
                return token
        raise self._failures.no_token(answer, realm.netloc)

    async def _ask(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: Payload | None = None
    ) -> Answer:
        """One request and its answer, whatever that says."""
        sent = {**_HEADERS, **(headers or {})}
        if content is not None:
            sent["Content-Length"] = str(content.size)
        elif method in ("POST", "PUT"):
            sent["Content-Length"] = "0"
        if url.startswith(f"{self._origin}/") and self._authorization:
            sent.setdefault("Authorization", self._authorization)
        body = None if content is None else _flowing(content.pieces)
        try:
            async with self._client(url).stream(method, url, headers=sent, content=body) as answer:
                read = await _some(answer)
                return Answer(method, url, answer.status_code, answer.headers, read)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise self._failures.of_connection(error, url) from error

    def _client(self, url: str) -> httpx2.AsyncClient:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._clients:
            client = httpx2.AsyncClient(
                verify=self._trust.context(parts.netloc) if parts.scheme == "https" else ssl.create_default_context(),
                proxy=proxy_for(origin), timeout=self._timeout, trust_env=False, follow_redirects=False,
            )  # fmt: skip
            self._closing.push_async_callback(client.aclose)
            self._clients[origin] = client
        return self._clients[origin]

    def _joined(self, place: str, digest: str) -> str:
        """Where an upload goes: what the registry said, and whose content comes."""
        url = urlsplit(urljoin(f"{self._origin}/", place))
        here = urlsplit(self._origin)
        if url.hostname == here.hostname:
            # Behind a proxy registries often don't know how they are reached (their own http, another port).
            url = url._replace(scheme=here.scheme, netloc=here.netloc)
        query = "&".join(part for part in (url.query, urlencode({"digest": digest})) if part)
        return url._replace(query=query).geturl()


async def _flowing(pieces: Callable[[], Iterator[bytes]]) -> AsyncIterator[bytes]:
    for piece in pieces():
        yield piece


async def _some(answer: httpx2.Response) -> bytes:
    read = bytearray()
    async for part in answer.aiter_raw():  # what is packed is not unpacked: it may be endless
        read += part
        if len(read) > _MOST:
            break
    return bytes(read)
