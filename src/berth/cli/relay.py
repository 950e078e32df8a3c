"""A Berth that another one has started on this host: what it would print and ask goes there, as records.

The printers (output, tables) ask here first. Who started it shows the records through the same printers, in its own
terminal's width and colours (berth.cli.hosts).
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import IO, Any

from berth.operations.remote import protocol


class Relay:
    """The way to who started this process. streams: those that are terminals there."""

    def __init__(self, streams: frozenset[str]) -> None:
        self.streams = streams
        self._answers: queue.SimpleQueue[bool | None] = queue.SimpleQueue()

    def is_terminal(self, stream: IO[Any] | None) -> bool:
        """Whether a person looks at this stream, at the other end."""
        return any(stream is getattr(sys, name) for name in self.streams)

    def listen(self) -> None:
        """Hears answers and interrupts from now on."""
        threading.Thread(target=self._hear, name="relay", daemon=True).start()

    def answer(self) -> bool | None:
        """Waits for the answer to what was asked; None where nobody is there to give one."""
        return self._answers.get()

    def _hear(self) -> None:
        # Not by sys.stdin: a thread that waits in it would hold its lock when the process ends.
        heard = b""
        while chunk := _read():
            *lines, heard = (heard + chunk).split(b"\n")
            for line in lines:
                if line in (protocol.YES, protocol.NO):
                    self._answers.put(line == protocol.YES)
                elif line == protocol.INTERRUPT:
                    _interrupt()
        _interrupt()
        self._answers.put(None)


_RELAY: ContextVar[Relay | None] = ContextVar("relay", default=None)


def relay() -> Relay | None:
    """The way to who started this process on this host from afar; None where nobody did."""
    return _RELAY.get()


@contextmanager
def relayed(arguments: list[str]) -> Iterator[None]:
    """Within it this process speaks to who started it, if that is another Berth: then the first argument says so, and
    is taken away.
    """
    if not arguments or not arguments[0].startswith(protocol.OPTION):
        yield
        return
    streams = arguments.pop(0).removeprefix(protocol.OPTION).split(",")
    known = Relay(frozenset(streams) & frozenset(protocol.STREAMS))
    before = _RELAY.set(known)
    try:
        yield
    finally:
        _RELAY.reset(before)


def _read() -> bytes:
    try:
        return os.read(0, 4096)
    except OSError:
        return b""


def _interrupt() -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
