"""Names of entries on the wire: any bytes but a slash, which need not be UTF-8."""

from __future__ import annotations


def is_name(name: str) -> bool:
    """Whether a server's answer may be taken for the name of an entry: a hostile one could answer `../x`."""
    return name not in ("", ".", "..") and "/" not in name


def decode_name(name: bytes) -> str:
    """A name as Python spells it. Names need not be UTF-8; what is not comes back unchanged by encode_name."""
    return name.decode("utf-8", "surrogateescape")


def encode_name(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
