"""What is wrong with mount options, judged once for everybody: at birth, in the class check, in plans and the doctor.

A refused option is one with which no node can mount; all else is told and goes on working as it did.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from berth.texts.lookalikes import complaint, corrected, lookalikes
from berth.texts.text import Text
from berth.volumes.errors import Refused
from berth.volumes.mount_options.option import (
    VERSION_KEYS,
    VERSIONS,
    Option,
    OptionFault,
    Weight,
    as_mounted,
    behind,
    shown,
    version_of,
)
from berth.volumes.mount_options.pairs import judge_minor, judge_pairs, judge_transport
from berth.volumes.mount_options.table import FLAVOURS, GENERIC, TABLE, UDP, Known
from berth.volumes.mount_options.unknown import judge_unknown
from berth.volumes.mount_options.values import number_fault, odd_number


@lru_cache(512)  # few classes, asked for each claim
def judge_options(mount_options: tuple[str, ...], *, server: str = "") -> tuple[OptionFault, ...]:
    """All that is wrong with a class's or PV's mount options, the worst first. server: what is mounted, if known."""
    options = as_mounted(mount_options)
    version = version_of(option.text for option in options)
    version = version if version in VERSIONS else ""
    is_sloppy = any(option.text == "sloppy" for option in options)
    found: dict[str, OptionFault] = {}
    for option in options:
        for fault in _judge(option, version, is_sloppy):
            if is_sloppy and fault.weight == "refused" and option.key not in VERSION_KEYS:
                fault = replace(fault, weight="risky")  # many kernels pass such options over beside it
            found.setdefault(fault.option, fault)
    for fault in (*judge_pairs(options), *judge_minor(options, version), *judge_transport(options, server)):
        found.setdefault(fault.option, fault)
    order: tuple[Weight, ...] = ("refused", "risky", "idle")
    return tuple(sorted(found.values(), key=lambda fault: order.index(fault.weight)))


def refuse_unmountable(mount_options: tuple[str, ...], *, server: str = "") -> None:
    """Refused when no node could mount with these options; its text says it in both languages."""
    refused = [fault.said for fault in judge_options(mount_options, server=server) if fault.weight == "refused"]
    if refused:
        en, zh = "; ".join(text.en for text in refused), "；".join(text.zh for text in refused)
        raise Refused("mountOptions", en, zh=zh)


def risks_of(mount_options: tuple[str, ...], *, server: str = "") -> tuple[Text, ...]:
    """What people should know of options that work, a sentence each."""
    return tuple(fault.said for fault in judge_options(mount_options, server=server) if fault.weight == "risky")


def _judge(option: Option, version: str, is_sloppy: bool) -> Iterator[OptionFault]:
    if option.key.startswith(("x-", "X-")):  # for other programs, by mount(8)
        return
    if (typed := complaint(option.text)) is not None:
        instead = corrected(option.text, lookalikes(option.text))
        yield OptionFault(option.text, "refused", typed, instead.strip())
        return
    if option.text != option.text.strip():
        plain, it = option.text.strip(), shown(option.text)
        said = Text(f"{it}: mount takes no blanks around it; write {plain}", f"{it}：前后不能有空白；请写 {plain}")
        yield OptionFault(option.text, "refused", said, plain)
        return
    if option.key in VERSION_KEYS or re.fullmatch(r"v\d+(\.\d+)?", option.key):
        yield from _judge_version(option)
        return
    known = TABLE.get(option.key) or GENERIC.get(option.key)
    if known is None or (option.key in GENERIC and option.value is not None and known.takes == "nothing"):
        yield judge_unknown(option, is_sloppy)
        return
    wrong = _wrong_value(option, known)
    if wrong is not None:
        yield wrong
        return
    if option.key == "sec":
        yield from _judge_flavours(option)
    yield from _judge_effect(option, known, version)


def _fits(only: str, version: str) -> bool:
    return version == only or version[:1] == only or (only == "4.0" and version == "4")


def _judge_effect(option: Option, known: Known, version: str) -> Iterator[OptionFault]:
    it, family = shown(option.text), version[:1]
    if known.only and version and not _fits(known.only, version):
        if known.is_refused_elsewhere:
            said = Text(
                f"{it} is for NFSv{known.only} only, and mounting NFSv{version} with it fails; leave it out",
                f"{it} 只能用于 NFSv{known.only}，以 NFSv{version} 挂载会失败；请去掉",
            )
            yield OptionFault(option.text, "refused", said, "")
        else:
            said = Text(
                f"{it} does nothing with NFSv{version}; leave it out", f"{it} 对 NFSv{version} 不起作用；请去掉"
            )
            yield OptionFault(option.text, "idle", said, "")
        return
    if known.idle is not None:
        yield OptionFault(option.text, "idle", behind(it, known.idle), "")
    elif option.key in ("udp", "proto") and (option.value or option.key).startswith("udp"):
        refused: Weight = "refused" if family != "3" else "risky"
        yield OptionFault(option.text, refused, behind(it, UDP), "proto=tcp")
    elif known.effect is not None:
        yield OptionFault(option.text, "risky", behind(it, known.effect), "", known.finding)
    elif option.key == "local_lock" and option.value in ("all", "posix"):
        effect = TABLE["nolock"].effect
        if effect is not None:
            yield OptionFault(option.text, "risky", behind(it, effect), "", "locks-local")
    elif known.since or (option.key == "rdirplus" and option.value is not None):
        since = known.since or "6.16"
        said = Text(
            f"{it} needs Linux {since} on every node; older ones refuse the mount",
            f"{it} 需要每个节点都是 Linux {since} 或更新，旧内核会拒绝挂载",
        )
        yield OptionFault(option.text, "risky", said)
    else:
        odd = odd_number(option.key, option.value)
        if option.key == "retry" and not (option.value or "").isdigit():
            said = Text(f"{it}: retry is a number of minutes; this is ignored", f"{it}：retry 是分钟数，这个值会被忽略")
            yield OptionFault(option.text, "idle", said, "")
        if odd is not None:
            yield OptionFault(option.text, "risky", behind(it, odd.said), odd.instead)


def _wrong_value(option: Option, known: Known) -> OptionFault | None:
    """A value where none may be, none where one must be, or one that is not taken."""
    it, value = shown(option.text), option.value
    if known.takes == "nothing" and value is not None:
        said = Text(
            f"{it}: {option.key} takes no value, and the kernel refuses one; write {option.key}",
            f"{it}：{option.key} 不带值，内核会拒绝；请写成 {option.key}",
        )
        return OptionFault(option.text, "refused", said, option.key)
    if known.takes == "number":
        wrong = number_fault(option.key, value, known)
        return None if wrong is None else OptionFault(option.text, "refused", behind(it, wrong.said), wrong.instead)
    if known.takes == "text" and not value:
        said = Text(f"{it} needs a value, as in {option.key}=…", f"{it} 需要一个值，即 {option.key}=…")
        return OptionFault(option.text, "refused", said)
    if known.words and value is not None and value not in known.words:
        near = difflib.get_close_matches(value.lower(), known.words, n=1, cutoff=0.5)
        listed, instead = ", ".join(known.words), f"{option.key}={near[0]}" if near else ""
        said = Text(
            f"{it}: {option.key} takes {listed}, all else is refused" + (f"; write {instead}" if near else ""),
            f"{it}：{option.key} 只接受 {listed}，其他值会被拒绝" + (f"；请写 {instead}" if near else ""),
        )
        return OptionFault(option.text, "refused", said, instead or None)
    return None


def _judge_version(option: Option) -> Iterator[OptionFault]:
    version = option.value or "" if option.key in VERSION_KEYS else option.key[1:]
    if version in VERSIONS and (option.key in VERSION_KEYS or option.value is None):
        return
    it, instead = shown(option.text), "nfsvers=3" if version.startswith("3") else "nfsvers=4.1"
    of_smb = (
        Text("; SMB has such versions", "；SMB 才有这样的版本")
        if version in ("1.0", "2.0", "2.1", "3.0", "3.1.1", "3.02")
        else Text("", "")
    )
    said = Text(
        f"{it} is no NFS version that a node can mount{of_smb.en}; there are {', '.join(VERSIONS)}, such as {instead}",
        f"{it} 不是节点能挂载的 NFS 版本{of_smb.zh}；可用的有 {'、'.join(VERSIONS)}，例如 {instead}",
    )
    yield OptionFault(option.text, "refused", said, instead)


def _judge_flavours(option: Option) -> Iterator[OptionFault]:
    flavours = [each for each in (option.value or "").split(":") if each]
    it = shown(option.text)
    unknown = [each for each in flavours if each not in FLAVOURS]
    if unknown:
        near = difflib.get_close_matches(unknown[0].lower(), FLAVOURS, n=1, cutoff=0.5)
        listed, instead = ", ".join(FLAVOURS[:-1]), f"sec={near[0]}" if near else ""
        said = Text(
            f"{it} is no security flavour of NFS; there are {listed}" + (f"; write {instead}" if near else ""),
            f"{it} 不是 NFS 的安全方式；可用的有 {listed}" + (f"；请写 {instead}" if near else ""),
        )
        yield OptionFault(option.text, "refused", said, instead or None)
    elif any(each.startswith("krb5") for each in flavours):
        said = Text(
            f"{it} needs a keytab and a running rpc.gssd on every node, and Berth itself speaks sec=sys only: the "
            "export has to offer that to Berth's host as well",
            f"{it} 要求每个节点有 keytab 并运行 rpc.gssd；Berth 自己只支持 sec=sys，导出还须对 Berth 所在主机"
            "提供 sec=sys",
        )
        yield OptionFault(option.text, "risky", said)
    elif flavours != ["sys"] and "sys" not in flavours:
        said = Text(
            f"{it} makes everybody nobody, and most servers refuse it; use sec=sys",
            f"{it} 会把所有人当作 nobody，多数服务器会拒绝；请用 sec=sys",
        )
        yield OptionFault(option.text, "risky", said, "sec=sys")
