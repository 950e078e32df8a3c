"""The one place where HTTP becomes the error family: answers by their status, failures by their cause."""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import dataclass

import msgspec

from berth.kube.channels import ProxyFailed
from berth.kube.errors import StatusError, status_error, trim
from berth.kube.reply import Broken


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer, as far as anybody looks at it. retry_after: the header, empty without one."""

    status: int
    retry_after: str
    body: bytes


class _Details(msgspec.Struct):
    retryAfterSeconds: int | None = None  # noqa: N815 - Kubernetes' name


class _Status(msgspec.Struct):
    """meta/v1 Status, as far as anybody looks at it. 0: a code the server left out."""

    message: str = ""
    reason: str = ""
    code: int = 0
    details: _Details | None = None


_read_status = msgspec.json.Decoder(_Status)

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What reading JSON raises that is none, or not the one that was asked for: the last, where it is nested too deep."""
LONGEST_ADVICE = 300.0
"""Seconds. Whoever says to wait for a day is not believed: nothing here waits longer than this between two tries."""


def failure(request: str, answer: HttpAnswer) -> StatusError:
    """The error for an answer whose status is no success; its body is a Status, or some proxy's page."""
    try:
        status = _read_status.decode(answer.body)
    except UNREADABLE:
        status = _Status(message=answer.body.decode("utf-8", "replace"))
    wait = _seconds(answer.retry_after)
    if wait is None and status.details is not None and status.details.retryAfterSeconds:
        wait = _believed(status.details.retryAfterSeconds)
    return status_error(request, answer.status, status.reason, status.message, wait)


def failure_of_status(request: str, body: bytes) -> StatusError:
    """The error for a Status that came as an event of a watch."""
    try:
        status = _read_status.decode(body)
    except UNREADABLE as error:
        return unreadable(request, error)
    return status_error(request, status.code, status.reason, status.message)


def unreadable(request: str, error: Exception) -> StatusError:
    """The error for a success whose content is not what was asked for."""
    return status_error(request, 200, "", f"its answer can't be read: {error}")


def explain(error: Exception, deadline: float) -> str:
    """Why a connection failed, in a few words for people."""
    match error:
        case Broken():
            return str(error)
        case ProxyFailed():
            return f"the proxy {error.where} failed: {explain(error.why, deadline)}"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not valid: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS failed: {trim(str(error))}"
        case socket.gaierror():
            return f"its name can't be resolved: {error.strerror}"
        case TimeoutError() if error.errno is None:
            return f"no answer within {deadline:g} s"
        case ConnectionError() if error.errno is None:
            return "the connection was closed"
        case ConnectionError() | OSError() if error.errno is not None:
            # asyncio words these as "Connect call failed ('127.0.0.1', 6443)"; the system's own words are better.
            return os.strerror(error.errno).lower()
        case _:
            return trim(str(error)) or type(error).__name__


def _seconds(header: str) -> float | None:
    if not (header.isascii() and header.isdigit()):
        return None
    return _believed(int(header)) if len(header) < 10 else LONGEST_ADVICE


def _believed(seconds: int) -> float:
    return float(min(max(seconds, 0), LONGEST_ADVICE))
