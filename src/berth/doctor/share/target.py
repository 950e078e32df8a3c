"""`HOST:/PATH`, as people and mount(8) write it."""

from __future__ import annotations

import posixpath

from berth.volumes.share import ShareAddress


class BadTarget(ValueError):  # noqa: N818
    """Not `HOST:/PATH`. Its text says what is wrong."""


def parse_target(text: str, *, port: int = 0, mountport: int = 0) -> ShareAddress:
    """The share that `HOST:/PATH`, `ADDRESS:/PATH` or `[IPV6]:/PATH` names. BadTarget otherwise."""
    if text.startswith("["):
        server, bracket, export = text.partition("]:")
        server += "]" if bracket else ""
    else:
        server, _, export = text.partition(":")
    if export.startswith("//"):
        raise BadTarget(f"{text!r} is a URL or has a slash too many; write HOST:/PATH")
    if not export.startswith("/"):
        hint = " (put an IPv6 address into brackets: [2001:db8::1]:/srv/nfs)" if text.count(":") > 2 else ""
        raise BadTarget(f"{text!r} is not HOST:/PATH, such as nfs.example.com:/srv/nfs{hint}")
    if not server or any(char.isspace() or char in "/@" for char in server):
        raise BadTarget(f"{text!r} names no server before the colon")
    if "\0" in export or ".." in export.split("/"):
        raise BadTarget(f"{export!r} is no path that a server exports: write it without `..`")
    path = posixpath.normpath(export)
    return ShareAddress(server, path, port=port, mountport=mountport)
