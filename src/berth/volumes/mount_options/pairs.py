"""Options that contradict each other, or the server's address."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from berth.texts.text import Text
from berth.volumes.mount_options.option import VERSION_FLAGS, VERSION_KEYS, Option, OptionFault, shown
from berth.volumes.mount_options.table import GENERIC, TABLE


def judge_pairs(options: Sequence[Option]) -> Iterator[OptionFault]:
    """Options that say different things about one: the last counts, except for versions, which end the mount."""
    versions = [option for option in options if option.key in (*VERSION_KEYS, *VERSION_FLAGS)]
    if len(versions) > 1:
        listed = ",".join(option.text for option in versions)
        said = Text(
            f"{shown(listed)}: mount.nfs takes one version only and refuses several; keep one",
            f"{shown(listed)}：mount.nfs 只接受一个版本，写多个会被拒绝；请只保留一个",
        )
        yield OptionFault(listed, "refused", said)
    groups: dict[str, list[Option]] = {}
    for option in options:
        known = TABLE.get(option.key) or GENERIC.get(option.key)
        if known is not None and option not in versions:
            groups.setdefault(known.pair or option.key, []).append(option)
    for said_twice in groups.values():
        texts = list(dict.fromkeys(option.text for option in said_twice))
        if len({_same(text) for text in texts}) > 1:
            listed, last = ",".join(texts), said_twice[-1].text
            said = Text(
                f"{shown(listed)} contradict each other; {shown(last)} counts, as kubelets sort them; keep one",
                f"{shown(listed)} 相互矛盾；kubelet 会排序，最终生效的是 {shown(last)}；请只保留一个",
            )
            yield OptionFault(listed, "risky", said)


def judge_minor(options: Sequence[Option], version: str) -> Iterator[OptionFault]:
    """minorversion counts beside nfsvers=4 alone; mount.nfs forgets it when it looks for the version itself."""
    for option in options:
        if option.key == "minorversion" and option.value in ("0", "1", "2") and version in ("", "4.0", "4.1", "4.2"):
            instead, it = f"nfsvers=4.{option.value}", shown(option.text)
            said = Text(
                f"{it} does nothing unless nfsvers=4 stands beside it; write {instead} for the two",
                f"{it} 只有与 nfsvers=4 一起写才起作用；请直接写 {instead}",
            )
            yield OptionFault(option.text, "idle", said, "" if version else instead)


def judge_transport(options: Sequence[Option], server: str) -> Iterator[OptionFault]:
    """Transports of the other kind of address than the server's: mount.nfs looks for none but those."""
    try:
        address = ipaddress.ip_address(server.strip("[]"))
    except ValueError:
        return
    for option in options:
        if option.key not in ("proto", "tcp", "rdma", "mountproto"):
            continue
        netid = option.value or option.key
        if netid.endswith("6") == (address.version == 6):
            continue
        wanted = f"{netid}6" if address.version == 6 else netid.removesuffix("6")
        instead = f"{'proto' if option.key in ('tcp', 'rdma') else option.key}={wanted}"
        kind, other = ("IPv6", "IPv4") if address.version == 6 else ("IPv4", "IPv6")
        it = shown(option.text)
        said = Text(
            f"{it} is for {other}, and the server's address is {kind}, which mount.nfs then can't resolve; "
            f"write {instead}",
            f"{it} 用于 {other}，而服务器地址是 {kind}，mount.nfs 会解析失败；请写 {instead}",
        )
        yield OptionFault(option.text, "refused", said, instead)


def _same(text: str) -> str:
    return {"tcp": "proto=tcp", "udp": "proto=udp", "rdma": "proto=rdma"}.get(text, text)
