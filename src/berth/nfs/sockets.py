"""Small matters of sockets: the family of an address, and the ports from which servers want to be called."""

from __future__ import annotations

import ipaddress
import random
import socket

RESERVED_PORTS = range(665, 1024)
"""Where servers want their clients (export option `secure`). Below are the ports of old services."""


def family(address: str) -> socket.AddressFamily:
    """Of a numeric address."""
    return socket.AF_INET6 if ipaddress.ip_address(address.partition("%")[0]).version == 6 else socket.AF_INET


def bind_reserved(opened: socket.socket) -> None:
    """Takes a free port below 1024, if we may."""
    first = random.randrange(len(RESERVED_PORTS))
    for offset in range(len(RESERVED_PORTS)):
        port = RESERVED_PORTS[(first + offset) % len(RESERVED_PORTS)]
        try:
            opened.bind(("", port))
        except PermissionError:
            return
        except OSError:
            continue
        return
