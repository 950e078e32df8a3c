"""Failures that no registry on the loopback network shows: each is the sentence that says what to do."""

from __future__ import annotations

import errno
import socket
import ssl

import httpx2
import pytest

from berth.images.failures import RegistryFailures
from berth.images.reference import Repository

HOST = "registry.example.com"


def certificate(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "as OpenSSL says it"
    return error


def led_to(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (certificate(10), "is not valid at this time"),
        (certificate(9), "is not valid at this time"),
        (certificate(62), "is for another name"),
        (certificate(18), "is from nobody whom this machine trusts (as OpenSSL says it)"),
        (socket.gaierror(-2, "Name or service not known"), "there is no host registry.example.com"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "can't be reached from here"),
        (ExceptionGroup("all", [ConnectionRefusedError(errno.ECONNREFUSED, "refused")]), "nothing listens at"),
        (OSError(errno.ECONNRESET, "reset"), "was lost (connection reset by peer)"),
    ],
    ids=["expired", "not yet", "other name", "unknown", "no host", "no route", "refused", "reset"],
)
def test_whatever_lies_below_is_found(cause: BaseException, told: str) -> None:
    failures = RegistryFailures(Repository(HOST, "berth"), 20)
    error = led_to(httpx2.ConnectError("All connection attempts failed"), led_to(OSError("several"), cause))
    assert isinstance(error, Exception)
    said = failures.of_connection(error, f"https://{HOST}/v2/").text
    assert told in said.en
    assert HOST in said.zh


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (httpx2.ConnectTimeout("x"), "can't be reached from here"),
        (httpx2.ReadTimeout("x"), "was silent for 20 s"),
        (httpx2.WriteTimeout("x"), "was silent for 20 s"),
        (
            httpx2.ProxyError("407 Proxy Authentication Required"),
            "the proxy on the way to registry.example.com does not",
        ),
        (httpx2.RemoteProtocolError("Server disconnected"), "was lost (it was closed at the other end)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_the_library_says_is_told_in_ours(error: Exception, told: str) -> None:
    failures = RegistryFailures(Repository(HOST, "berth"), 20)
    assert told in failures.of_connection(error, f"https://{HOST}/v2/").text.en
