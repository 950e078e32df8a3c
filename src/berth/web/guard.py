"""A port that strangers may reach: whoever asks nothing, or never ends, goes; whoever asks gets his answer meanwhile.

uvicorn ends connections that are idle between two requests. What it leaves to a proxy in front of it, which a probe's
port has not, is here: a request has to come, and its answer has to be taken, within some seconds, and there are only so
many connections at once; of too many, the oldest goes of the address that has most. So a probe gets its answer while
somebody floods the port. What can't be read as HTTP is answered with 400, or not at all, and never a line in the log.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import count
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 5.0
"""From the beginning of a connection, or from the last answer, to the whole next one. A kubelet waits no longer."""
MOST_CONNECTIONS = 100
"""At once. A kubelet has one, a Prometheus too."""
MOST_HEAD = 8 * 1024
"""Bytes of a request's line and headers."""

_turns = count()


class GuardedProtocol(H11Protocol):
    """One connection; see the module's text."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turn = 0
        """Smaller: has been waited for longer. The loop's clock is too coarse for it."""
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_a_request()
        if len(self.connections) > MOST_CONNECTIONS:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        if self._deadline is not None:
            self._deadline.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except h11.LocalProtocolError:  # there is no right answer any more, as when one was under way
            self.abort()

    def send_400_response(self, msg: str) -> None:
        if self.cycle is not None and not self.cycle.response_complete:  # what follows a request that is being answered
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self.abort()
        else:
            super().send_400_response(msg)

    def on_response_complete(self) -> None:
        self._wait_for_a_request()
        try:
            super().on_response_complete()
        except h11.LocalProtocolError:
            self.abort()

    def _make_room(self) -> None:
        guarded = [one for one in self.connections if isinstance(one, GuardedProtocol)]
        ((most, _),) = Counter(one._address for one in guarded).most_common(1)
        min((one for one in guarded if one._address == most), key=lambda one: one._turn).abort()

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def abort(self) -> None:
        """Ends the connection at once, whatever was still to be sent."""
        self.connections.discard(self)  # it is lost a moment later: the next one to be counted is another
        self.transport.abort()

    def _wait_for_a_request(self) -> None:
        self._turn = next(_turns)
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self.abort)
