"""A link that delays: a TCP proxy that hands on every byte a fixed time after it came, in both directions.

    python -m benchmarks.slowlink SECONDS HOST:PORT=HOST:PORT ...      (listens at the left, leads to the right)

A process of its own, so that it does not share an interpreter with who is measured. Threads and not asyncio, because
asyncio rounds waits up to whole milliseconds, which is the whole delay that is asked for. What is under way may be any
amount: the link is long, not narrow.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from contextlib import suppress
from queue import SimpleQueue

_Parcel = tuple[float, bytes]
"""When it is due, by time.monotonic, and what; empty: the end."""
_MOST = 1 << 18
"""Bytes read at once."""


def forward(source: socket.socket, target: socket.socket, delay: float) -> None:
    """Starts to hand on what source says to target, each piece delay seconds after it came, until source ends."""
    queue: SimpleQueue[_Parcel] = SimpleQueue()

    def take_in() -> None:
        piece = b"."
        while piece:
            try:
                piece = source.recv(_MOST)
            except OSError:
                piece = b""
            queue.put((time.monotonic() + delay, piece))

    def hand_out() -> None:
        while True:
            due, piece = queue.get()
            time.sleep(max(0.0, due - time.monotonic()))
            with suppress(OSError):
                if not piece:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(piece)

    threading.Thread(target=take_in, daemon=True).start()
    threading.Thread(target=hand_out, daemon=True).start()


def serve(listener: socket.socket, target: tuple[str, int], delay: float) -> None:
    """Takes connections until listener is shut down, and connects each to target."""
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        try:
            far = socket.create_connection(target, timeout=10)
        except OSError:
            near.close()
            continue
        far.settimeout(None)
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        forward(near, far, delay)
        forward(far, near, delay)


def main(arguments: list[str]) -> None:
    """Serves all links until it is killed."""
    delay = float(arguments[0])
    threads = []
    for link in arguments[1:]:
        here, _, there = link.partition("=")
        listener = socket.create_server(_address(here))
        threads.append(threading.Thread(target=serve, args=(listener, _address(there), delay)))
    for thread in threads:
        thread.start()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


if __name__ == "__main__":
    main(sys.argv[1:])
