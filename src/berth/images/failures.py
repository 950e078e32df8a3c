"""What went wrong with a registry, as one sentence: answers by their status, connections by their cause."""

from __future__ import annotations

import errno
import json
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from berth.images.errors import Lost, RegistryError
from berth.images.login import Login
from berth.images.reference import Repository
from berth.images.texts import say
from berth.texts.text import Text, same
from berth.texts.visible import fact

_PLAIN = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE")
"""OpenSSL's words for something that is no TLS."""
_EXPIRED, _OTHER_HOST = (9, 10), (62, 64)
"""X509_V_ERR_…: not yet valid and expired; another name, another address."""
_MAY_PASS = frozenset({408, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 30.0
_FULL = ("no space left", "disk quota", '"Err": 28', '"Err":28')


@dataclass(frozen=True, slots=True)
class Answer:
    """What a registry said to one request."""

    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its content; None where it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def codes(self) -> list[str]:
        """The specification's words for what is wrong."""
        return [str(each.get("code", "")) for each in self._errors()]

    @property
    def said(self) -> str:
        """Its own words, short."""
        told = [": ".join(filter(None, (str(e.get("code", "")), str(e.get("message", ""))))) for e in self._errors()]
        return "; ".join(told)[:300]

    def _errors(self) -> list[dict[str, Any]]:
        match self.json:
            case {"errors": [*errors]}:
                return [each for each in errors if isinstance(each, dict)]
            case {"details": str(details)}:  # a token server's
                return [{"message": details}]
        return []


class RegistryFailures:
    """Errors about one repository."""

    def __init__(self, repository: Repository, patience: float) -> None:
        self.login: Login | None = None
        """What the registry was shown."""
        self.was_asked = False
        """Whether the registry wanted a login."""
        self._repository = repository
        self._registry = repository.registry
        self._patience = patience

    def refusal(self, answer: Answer) -> RegistryError:
        """For an answer that is no success."""
        key = self._reason(answer)
        text = say(key, **self._facts(answer))
        if answer.status in _MAY_PASS and key == "refused.fault":
            return Lost(text, _advice(answer.headers.get("retry-after", "")))
        return RegistryError(text)

    def no_registry(self, answer: Answer) -> RegistryError:
        """For what answers, and is no registry."""
        if answer.status in _MAY_PASS:
            return self.refusal(answer)
        return RegistryError(say("refused.no-registry", registry=self._registry, status=answer.status))

    def no_token(self, answer: Answer, server: str) -> RegistryError:
        """For a token server that gives none."""
        if answer.status in _MAY_PASS:
            return self.refusal(answer)
        if answer.status in (400, 401, 403) and self.login is not None:
            return RegistryError(say("refused.login", **self._facts(answer)))
        if answer.status in (401, 403):
            return RegistryError(say("refused.nobody", **self._facts(answer)))
        return RegistryError(say("token.none", registry=self._registry, server=server, status=answer.status))

    def of_connection(self, error: Exception, url: str) -> RegistryError:
        """For a request that got no answer."""
        host = urlsplit(url).netloc
        facts = {"host": host, "registry": self._registry, "seconds": f"{self._patience:g}"}
        causes = [*_causes(error)]
        if speaks_plainly(error):
            return RegistryError(say("tls.plain", **facts))
        for cause in causes:
            match cause:
                case ssl.SSLCertVerificationError():
                    return RegistryError(_of_certificate(cause, facts))
                case socket.gaierror():
                    return RegistryError(say("host.unknown", **facts))
                case ConnectionRefusedError():
                    return RegistryError(say("host.refused", **facts))
                case OSError(errno=errno.ENETUNREACH | errno.EHOSTUNREACH):
                    return RegistryError(say("host.unreachable", **facts))
        if isinstance(error, httpx2.ConnectTimeout):
            return RegistryError(say("host.unreachable", **facts))
        if isinstance(error, httpx2.TimeoutException):
            return RegistryError(say("host.silent", **facts))
        if isinstance(error, httpx2.ProxyError):
            return RegistryError(say("host.proxy", why=same(str(error)), **facts))
        return Lost(say("host.lost", why=_in_words(causes), **facts))

    def _reason(self, answer: Answer) -> str:
        words = answer.body[:4096].decode("utf-8", "replace")
        has_login = self.login is not None
        match answer.status:
            case 401 if not has_login:
                return "refused.nobody"
            case 401 if "DENIED" in answer.codes or "insufficient_scope" in answer.headers.get("www-authenticate", ""):
                return "refused.denied"
            case 401:
                return "refused.login"
            case 403:
                return "refused.denied" if has_login else self._denied()
            case 404:
                return "refused.name-unknown"
            case 400 if "NAME_INVALID" in answer.codes:
                return "refused.name-invalid"
            case 413:
                return "refused.large"
            case 500 | 507 if answer.status == 507 or any(sign in words for sign in _FULL):
                return "refused.full"
            case status if status in _MAY_PASS:
                return "refused.fault"
            case status if 300 <= status < 400:
                return "refused.moved"
        return "refused.other"

    def _denied(self) -> str:
        return "refused.denied-nobody" if self.was_asked else "refused.denied-all"

    def _facts(self, answer: Answer) -> dict[str, object]:
        said = f": {fact(answer.said)}" if answer.said else ""
        login = self.login
        return {
            "registry": self._registry,
            "repository": str(self._repository),
            "name": self._repository.name,
            "status": answer.status,
            "said": Text(said, said.replace(": ", "：", 1)),
            "place": answer.headers.get("location", ""),
            "user": (login.username or "a token") if login else "",
            "source": login.source if login else "",
        }


def speaks_plainly(error: BaseException | None) -> bool:
    """Whether the connection failed because there is no TLS at the other end."""
    return any(isinstance(cause, ssl.SSLError) and getattr(cause, "reason", "") in _PLAIN for cause in _causes(error))


def _of_certificate(error: ssl.SSLCertVerificationError, facts: Mapping[str, object]) -> Text:
    if error.verify_code in _EXPIRED:
        return say("tls.expired", **facts)
    if error.verify_code in _OTHER_HOST:
        return say("tls.other-host", **facts)
    return say("tls.unknown", why=same(error.verify_message), **facts)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what led to it; the event loop tries several addresses, and groups their errors."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions


def _in_words(causes: list[BaseException]) -> Text:
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno:
            return same(os.strerror(cause.errno).lower())
    return say("host.closed")


def _advice(header: str) -> float:
    return min(float(header), _LONGEST_WAIT) if header.isascii() and header.isdigit() else 0.0
