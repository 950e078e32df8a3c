"""The one error family of talking to Kubernetes. No error of an HTTP library ever leaves kube/.

KubeError
 |- ConfigurationError   no usable configuration: nothing was asked yet, and repeating it changes nothing
 |- Unreachable          no answer: connecting, TLS, a broken connection, or a deadline; what was asked may still have
                         happened
 |   `- Silent           a watch told nothing for too long: watch again
 |- WriteWithheld        it was not asked, because this process may not act at the moment
 `- StatusError          the API server answered, with an error (code, reason)
     |- Invalid           400, 405, 413, 415, 422: what was asked makes no sense to the server
     |- Unauthorized      401: it does not know who we are
     |- Forbidden         403: it knows, and does not let us
     |- NotFound          404
     |- Conflict          409: the object changed in between, or a precondition does not hold
     |- AlreadyExists     409 with the reason AlreadyExists
     |- Gone              410: a resourceVersion or continue token that is too old
     |- TooManyRequests   429: wait retry_after seconds
     `- ServerError       5xx, and whatever else is not understood
         `- TooLarge      more bytes than anybody wants to hold: ask for less at once

Messages are one line and trimmed; the request (verb, resource, key) stands in front of them.
"""

from __future__ import annotations


class KubeError(Exception):
    """Base of the family; never raised itself."""


class ConfigurationError(KubeError):
    """How to reach the API server is not known: one sentence that names the file or variable."""


class Unreachable(KubeError):  # noqa: N818
    """No answer came. Whether the request was carried out is unknown; only repeating it tells."""

    def __init__(self, request: str, server: str, why: str) -> None:
        super().__init__(f"{request}: the API server {server} is unreachable: {why}")
        self.request = request
        self.server = server
        self.why = why


class Silent(Unreachable):
    """A watch that told nothing for too long: its connection may be dead, or nothing happened. Watch again."""


class WriteWithheld(KubeError):  # noqa: N818
    """A request that was not sent, because its guard had a reason against it in that moment. Nothing happened."""

    def __init__(self, request: str, why: str) -> None:
        super().__init__(f"{request}: not sent: {why}")
        self.request = request
        self.why = why


class StatusError(KubeError):
    """The API server's answer is an error. code: HTTP status; reason: Kubernetes' word for it, may be empty."""

    def __init__(self, request: str, code: int, reason: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{request}: {message} ({code}{' ' + reason if reason else ''})")
        self.request = request
        self.code = code
        self.reason = reason
        self.message = message
        self.retry_after = retry_after
        """Seconds that the server asks us to wait; None when it does not say."""


class Invalid(StatusError):  # noqa: N818
    """400, 405, 413, 415, 422: repeating the request unchanged is pointless."""


class Unauthorized(StatusError):  # noqa: N818
    """401, after the credentials were read again."""


class Forbidden(StatusError):  # noqa: N818
    """403: a missing RBAC rule, a policy, or an exceeded quota."""


class NotFound(StatusError):  # noqa: N818
    """404: the object, its namespace, or the whole kind does not exist."""


class Conflict(StatusError):  # noqa: N818
    """409: read the object again and decide anew."""


class AlreadyExists(StatusError):  # noqa: N818
    """409 on create: an object of that name is there."""


class Gone(StatusError):  # noqa: N818
    """410: list again from the start."""


class TooManyRequests(StatusError):  # noqa: N818
    """429: the server sheds load; retry_after is set when it said for how long."""


class ServerError(StatusError):
    """5xx and anything unexpected: an outage, to be retried."""


class TooLarge(ServerError):  # noqa: N818
    """An answer, or a line of a watch, of more than `most` bytes. The rest of it was not read."""

    def __init__(self, request: str, most: int) -> None:
        super().__init__(request, 200, "", f"its answer is larger than {most >> 20} MiB")


_BY_CODE: dict[int, type[StatusError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: Invalid,
    409: Conflict,
    410: Gone,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: TooManyRequests,
}

_MESSAGE_LIMIT = 500


def status_error(request: str, code: int, reason: str, message: str, retry_after: float | None = None) -> StatusError:
    """The member of the family for one error answer."""
    kind = AlreadyExists if code == 409 and reason == "AlreadyExists" else _BY_CODE.get(code, ServerError)
    return kind(request, code, reason, trim(message) or "no explanation given", retry_after)


def trim(message: str, limit: int = _MESSAGE_LIMIT) -> str:
    """message as one line of at most limit characters, cut at the end."""
    line = " ".join(message[: 10 * limit].split())  # a page of megabytes is not taken to pieces
    return line if len(line) <= limit else line[: limit - 1] + "…"
