"""A class's parameters and mount options, parsed once and strictly.

An unknown key is refused with the nearest known name: `archiveOnDelet: "true"` must not end in a deletion.
"""

from __future__ import annotations

import difflib
import ipaddress
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar, get_args

from berth.texts.bounded import quoted
from berth.texts.lookalikes import complaint
from berth.volumes.errors import ParameterField, Refused
from berth.volumes.mount_options.judge import refuse_unmountable
from berth.volumes.mount_options.option import VERSIONS, as_mounted, version_of
from berth.volumes.naming import is_printable
from berth.volumes.patterns import DEFAULT_PATTERN, PathPattern, parse_path_pattern, parse_sub_dir
from berth.volumes.request import End, Existing, Sharing
from berth.volumes.server_name import refuse_link_local
from berth.volumes.share import ShareAddress

T = TypeVar("T", bound=str)

KNOWN = (
    "server", "share", "pathPattern", "subDir", "onDelete", "archiveOnDelete", "directoryMode", "mountPermissions",
    "uid", "gid", "sharedPaths", "existingDirectory", "minSize", "maxSize", "stepSize",
)  # fmt: skip

_REMEMBERED = 256
"""Answers: thousands of claims and PVs ask for the same few classes and shares."""

_PATHS = ("share", "pathPattern", "subDir")
"""What holds names of directories, in any alphabet."""

GIB = 1024**3
MAX_GIB = 2**33
"""8 EiB: the largest size that Kubernetes' own quantities can hold."""
MAX_ID = 2**32 - 2
"""Largest uid or gid; 2**32 - 1 means "leave it" in chown(2) and in NFS."""

# What Go's strconv.ParseBool takes, which is how the reference reads archiveOnDelete.
_TRUE = {"1", "t", "T", "TRUE", "true", "True"}
_FALSE = {"0", "f", "F", "FALSE", "false", "False"}

# A name (also with `_`, which some resolvers take) or an IPv4 address; no leading `-`, which mount(8) would take for an
# option.
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")
_SIZE = re.compile(r"[0-9]{1,10}(\.[0-9]{1,10})?")


@dataclass(frozen=True, slots=True)
class Parameters:
    """A class's parameters, checked, with defaults filled in."""

    server: str
    """Empty: neither the class nor the environment names one."""
    export: str
    pattern: PathPattern
    on_delete: End
    mode: int
    uid: int | None
    gid: int | None
    sharing: Sharing
    existing: Existing
    min_bytes: int | None
    max_bytes: int | None


def parse_parameters(parameters: Mapping[str, str], *, server: str = "", export: str = "") -> Parameters:
    """Parameters of a class; server and export are the defaults for classes that name none. Refused, naming the key."""
    return _parsed(tuple(parameters.items()), server, export)


@lru_cache(maxsize=_REMEMBERED)
def _parsed(items: tuple[tuple[str, str], ...], server: str, export: str) -> Parameters:
    parameters = dict(items)
    for key, value in parameters.items():
        check_typing(ParameterField(key), key)
        if key not in KNOWN:
            raise _unknown(key)
        check_typing(ParameterField(key), value, names=key in _PATHS)
    min_bytes, max_bytes = _gib(parameters, "minSize"), _gib(parameters, "maxSize")
    _gib(parameters, "stepSize")
    if min_bytes is not None and max_bytes is not None and min_bytes > max_bytes:
        least, most = parameters["minSize"], parameters["maxSize"]
        raise Refused(
            ParameterField("minSize"), f"{least} is more than maxSize, {most}; lower the one or raise the other"
        )
    if "share" in parameters:
        export = parse_export(parameters["share"], ParameterField("share"))
    return Parameters(
        server=_server(parameters) or server,
        export=export,
        pattern=_pattern(parameters, export),
        on_delete=_end(parameters),
        mode=_mode(parameters),
        uid=_id(parameters, "uid"),
        gid=_id(parameters, "gid"),
        sharing=_one_of(parameters, "sharedPaths", "deny", get_args(Sharing)),
        existing=_one_of(parameters, "existingDirectory", "auto", get_args(Existing)),
        min_bytes=min_bytes,
        max_bytes=max_bytes,
    )


def check_typing(field: str, text: str, *, names: bool = False) -> None:
    """Refused, naming field, where the text holds a character that only looks like the one that is meant. names: as in
    texts.lookalikes.
    """
    if wrong := complaint(text, names=names):
        raise Refused(field, wrong.en, zh=wrong.zh)


@lru_cache(maxsize=_REMEMBERED)
def parse_export(text: str, field: str) -> str:
    """An export's path in normal form; Refused (naming field) unless it is absolute and without `.` and `..`."""
    check_typing(field, text, names=True)
    if not text.startswith("/"):
        raise Refused(field, f"{text!r} is not an absolute path; write it as the server exports it, like /srv/nfs/k8s")
    if any(part in (".", "..") for part in text.split("/")):
        raise Refused(field, f"{text!r} contains the part `.` or `..`; write it as the server exports it")
    if not is_printable(text):
        raise Refused(field, f"{text!r} contains a control character or a line break; leave it out")
    return "/" + posixpath.normpath(text).strip("/")


@lru_cache(maxsize=_REMEMBERED)
def parse_server(text: str, field: str) -> str:
    """A server's name or address without the brackets of an IPv6 address; Refused when it is neither."""
    check_typing(field, text)
    server = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if _is_ipv6(server) or (server is text and _HOST.fullmatch(server)):
        return server
    if server.count(":") == 1:
        raise Refused(
            field, f"{text!r} holds a port or a path; give the port as the mount option port=, the path as share"
        )
    raise Refused(field, f"{text!r} is not a host name or an IP address")


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    # What stands behind `%` is free text to ipaddress; it names a network interface.
    return _HOST.fullmatch(text.partition("%")[2] or "any") is not None


@lru_cache(maxsize=_REMEMBERED)
def share_address(server: str, export: str, mount_options: tuple[str, ...]) -> ShareAddress:
    """The share, with what mount options say of how to speak to it. Refused for what can't be understood of that."""
    found = {option.key: option.value or "" for option in as_mounted(mount_options)}
    version = version_of(mount_options)
    if version and version not in VERSIONS:
        raise Refused("mountOptions", f"nfsvers={version} is not an NFS version; known are {', '.join(VERSIONS)}")
    proto = found.get("proto", "") or ("tcp" if "tcp" in found else "udp" if "udp" in found else "")
    if proto not in ("", "tcp", "tcp6", "udp", "udp6", "rdma", "rdma6"):
        raise Refused("mountOptions", f"proto={proto} is not supported; use tcp")
    is_rdma = proto.startswith("rdma") or "rdma" in found  # the server's port for that is not the one for TCP
    return ShareAddress(
        server=server,
        export=export,
        version=version,
        port=0 if is_rdma else _port(found.get("port"), "port"),
        mountport=_port(found.get("mountport"), "mountport"),
        proto="" if is_rdma else proto,
    )


def mountable_address(
    server: str, export: str, mount_options: tuple[str, ...], *, field: str = ParameterField("server")
) -> ShareAddress:
    """The share of new volumes. Refused for a server (naming field) or options that no node could mount, too."""
    refuse_link_local(server, field)
    refuse_unmountable(mount_options, server=server)
    return share_address(server, export, mount_options)


def _unknown(key: str) -> Refused:
    lowered = {known.lower(): known for known in KNOWN}
    near = difflib.get_close_matches(key.lower(), lowered, n=1, cutoff=0.6)
    if near:
        meant = lowered[near[0]]
        return Refused(ParameterField(key), f"is not known; did you mean {meant}?", suggestion=meant)
    return Refused(ParameterField(key), f"is not known; known are {', '.join(KNOWN)}")


def _server(parameters: Mapping[str, str]) -> str:
    return parse_server(parameters["server"], ParameterField("server")) if "server" in parameters else ""


def _pattern(parameters: Mapping[str, str], export: str) -> PathPattern:
    # An empty pathPattern means the default, as it does in the reference: its chart could write one.
    path_pattern = parameters.get("pathPattern", "")
    sub_dir = parameters.get("subDir", "")
    if path_pattern and sub_dir:
        raise Refused(
            ParameterField("subDir"), "can't stand beside pathPattern, both say where the directory goes; keep one"
        )
    if not (path_pattern or sub_dir):
        return DEFAULT_PATTERN
    pattern = parse_sub_dir(sub_dir) if sub_dir else parse_path_pattern(path_pattern)
    if export.strip("/") and f"{pattern.text}/".startswith(f"{export}/"):
        rest = pattern.text.removeprefix(export).strip("/")
        raise Refused(
            pattern.parameter,
            f"{quoted(pattern.text)} begins with the share's own path {quoted(export)}, below which it would be made "
            f"once more; " + (f"write {quoted(rest)}" if rest else "name a directory below it"),
        )
    return pattern


def _end(parameters: Mapping[str, str]) -> End:
    archive = parameters.get("archiveOnDelete", "true")
    if archive not in _TRUE | _FALSE:
        raise Refused(ParameterField("archiveOnDelete"), f'{archive!r} is neither "true" nor "false"')
    if not parameters.get("onDelete"):  # empty means "not set" in the reference too
        return "archive" if archive in _TRUE else "delete"
    return _one_of(parameters, "onDelete", "retain", get_args(End))


def _mode(parameters: Mapping[str, str]) -> int:
    given = [key for key in ("directoryMode", "mountPermissions") if key in parameters]
    if not parameters.get("mountPermissions", "").strip("0"):  # csi-driver-nfs: "0", its default, leaves the mode alone
        given = [key for key in given if key != "mountPermissions"]
    modes = set()
    for key in given:
        text = parameters[key]
        if not text or len(text) > 5 or any(digit not in "01234567" for digit in text) or int(text, 8) > 0o7777:
            raise Refused(ParameterField(key), f"{text!r} is not an octal mode like 0770")
        modes.add(int(text, 8))
    if len(modes) > 1:
        raise Refused(ParameterField("mountPermissions"), "contradicts directoryMode, they mean the same; keep one")
    mode = modes.pop() if modes else 0o777
    if mode & 0o700 != 0o700:
        raise Refused(
            ParameterField(given[0]), f"{mode:04o} would lock the directory's own owner out; use at least 0700"
        )
    return mode


def _id(parameters: Mapping[str, str], key: str) -> int | None:
    if key not in parameters:
        return None
    text = parameters[key]
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > MAX_ID:
        raise Refused(ParameterField(key), f"{text!r} is not a number from 0 to {MAX_ID}")
    return int(text)


def _one_of(parameters: Mapping[str, str], key: str, default: T, known: tuple[T, ...]) -> T:
    text = parameters.get(key, default)
    for each in known:
        if text == each:
            return each
    raise Refused(ParameterField(key), f"{text!r} is not one of {', '.join(known)}")


def _gib(parameters: Mapping[str, str], key: str) -> int | None:
    if key not in parameters:
        return None
    text = parameters[key]
    if not _SIZE.fullmatch(text) or Decimal(text) > MAX_GIB:
        raise Refused(ParameterField(key), f"{text!r} is not a size; write a number of GiB without a unit, like 10")
    return int(Decimal(text) * GIB)


def _port(text: str | None, key: str) -> int:
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or int(text) > 65535:
        raise Refused("mountOptions", f"{key}={text} is not a port number")
    return int(text)
