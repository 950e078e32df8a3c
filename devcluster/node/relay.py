"""Takes connections in one network and makes them in another, as kube-proxy does for a Service's address.

`python3 relay.py NETWORK HOST:PORT TARGET_HOST:TARGET_PORT`: listens at HOST:PORT in NETWORK (a file such as
/proc/<pid>/ns/net), and passes each connection on to the target in our own. A program by itself: entering another
network concerns the whole process.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import sys
from contextlib import suppress

_CHUNK = 1 << 16


def main(network: str, here: str, target: str) -> None:
    """Serves until it is ended."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(_listen_in(network, *_address(here)), *_address(target)))


def _listen_in(network: str, host: str, port: int) -> socket.socket:
    """A listening socket: it stays in the network where it was made, wherever we are afterwards."""
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    other = os.open(network, os.O_RDONLY)
    try:
        _enter(other)
        listener = socket.create_server((host, port), backlog=128)
        _enter(own)
    finally:
        os.close(own)
        os.close(other)
    return listener


def _enter(network: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(network, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


async def _serve(listener: socket.socket, host: str, port: int) -> None:
    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(host, port)
        except OSError:
            writer.transport.abort()  # refused, as the target itself would have
            return
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(reader, back), name="there")
                both.create_task(_copy(there, writer), name="back")
        finally:
            back.transport.abort()
            writer.transport.abort()

    server = await asyncio.start_server(pass_on, sock=listener)
    await server.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copies to the end of one direction; the other one may go on."""
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


if __name__ == "__main__":
    main(*sys.argv[1:])
