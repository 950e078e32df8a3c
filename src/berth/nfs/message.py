"""Remote procedure calls (RFC 5531) as bytes: what stands around the arguments of a call and the results of a reply."""

from __future__ import annotations

import struct
from typing import NamedTuple

from berth.nfs.errors import CallRejected
from berth.nfs.xdr import Reader, opaque, uint

LAST_FRAGMENT = 0x80000000
"""Marks the last piece of a message over TCP; the other bits are its length."""
REPLY = 1
_CALL, _RPC_VERSION, _AUTH_SYS = 0, 2, 1
_HEADER = struct.Struct(">IIIIII")
_ACCEPTED = bytes(16)
_REFUSALS = {1: "PROG_UNAVAIL", 2: "PROG_MISMATCH", 3: "PROC_UNAVAIL", 4: "GARBAGE_ARGS", 5: "SYSTEM_ERR"}


class Identity(NamedTuple):
    """Whom a call claims to come from (AUTH_SYS)."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    """Further ones. Some servers go by what they know of the user instead, but by gid they all go."""


ROOT = Identity(0, 0)


def encode_credential(identity: Identity, machine: bytes = b"berth") -> bytes:
    """Who calls (AUTH_SYS), and a verifier of the flavour none."""
    groups = uint(len(identity.groups)) + b"".join(map(uint, identity.groups))
    body = uint(0) + opaque(machine) + uint(identity.uid) + uint(identity.gid) + groups
    return uint(_AUTH_SYS) + opaque(body) + uint(0) + uint(0)


def encode_call(number: int, program: tuple[int, int], procedure: int, credential: bytes, arguments: bytes) -> bytes:
    """One whole call, as it goes over TCP. number: the answer carries it, too."""
    record = _HEADER.pack(number, _CALL, _RPC_VERSION, *program, procedure) + credential + arguments
    return uint(LAST_FRAGMENT | len(record)) + record


def accept(reader: Reader) -> None:
    """Reads up to the results. CallRejected when there are none."""
    if reader.has(_ACCEPTED):  # nearly always: with no verifier, and accepted
        return
    if reader.uint():
        raise CallRejected("the server rejected the call", "MSG_DENIED")
    reader.uint()
    reader.opaque(400)
    refusal = reader.uint()
    if refusal:
        raise CallRejected("the server rejected the call", _REFUSALS.get(refusal, f"accept_stat {refusal}"))
