"""How a remote procedure call fails; what a server answers when it carried one out and says no, is in `status`.

RpcError
 |- ConnectFailed    the server's port can't be reached
 |- ConnectionLost   it broke; whether the server did what was asked is unknown
 |- CallRejected     the server can't make sense of the call, or we of its reply
 `- Withheld         the guard did not let the call out: nothing was sent
"""

from __future__ import annotations


class RpcError(Exception):
    """Base of the family. why: for people; status: the system's or protocol's name of it, where there is one."""

    def __init__(self, why: str, status: str = "") -> None:
        super().__init__(f"{why} ({status})" if status else why)
        self.why = why
        self.status = status


class ConnectFailed(RpcError):  # noqa: N818
    """The server's port can't be reached."""


class ConnectionLost(RpcError):  # noqa: N818
    """The connection broke, or was closed, before the reply came."""


class CallRejected(RpcError):  # noqa: N818
    """The server answered that it can't make sense of the call, or its reply makes none."""


class Withheld(RpcError):  # noqa: N818
    """The call was not sent: this process may not act now."""
