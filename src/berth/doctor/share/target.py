"""`HOST:/PATH`, as people and mount(8) write it."""

from __future__ import annotations

import posixpath

from berth.texts.text import Text
from berth.volumes.server_name import is_ipv6, split_share
from berth.volumes.share import ShareAddress


class BadTarget(ValueError):  # noqa: N818
    """Not `HOST:/PATH`. text: what is wrong; str() is its English."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.text = Text(en, zh)


def parse_target(text: str, *, port: int = 0, mountport: int = 0) -> ShareAddress:
    """The share that `HOST:/PATH`, `ADDRESS:/PATH` or `[IPV6]:/PATH` names. BadTarget otherwise."""
    split = split_share(text)
    if split is not None and ":" in split[0] and is_ipv6(split[0]):
        server, export = split
    elif text.startswith("["):
        server, _, export = text.partition("]:")
        server = ""
    else:
        server, _, export = text.partition(":")
    if export.startswith("//"):
        en, zh = "is a URL or has a slash too many; write HOST:/PATH", "是 URL 或多了一个斜杠；请写成 主机:/路径"
        raise BadTarget(f"{text!r} {en}", f"{text!r} {zh}")
    if not export.startswith("/"):
        en, zh = "is not HOST:/PATH, such as nfs.example.com:/srv/nfs", "不是 主机:/路径，例如 nfs.example.com:/srv/nfs"
        if text.count(":") > 2:
            en += " (put an IPv6 address into brackets: [2001:db8::1]:/srv/nfs)"
            zh += "（IPv6 地址要放在方括号里：[2001:db8::1]:/srv/nfs）"
        raise BadTarget(f"{text!r} {en}", f"{text!r} {zh}")
    if not server or any(char.isspace() or char in "/@" for char in server):
        raise BadTarget(f"{text!r} names no server before the colon", f"{text!r} 的冒号前没有服务器")
    if "\0" in export or ".." in export.split("/"):
        en, zh = "is no path that a server exports: write it without `..`", "不是服务器会导出的路径：请不要用 `..`"
        raise BadTarget(f"{export!r} {en}", f"{export!r} {zh}")
    path = posixpath.normpath(export)
    return ShareAddress(server, path, port=port, mountport=mountport)
