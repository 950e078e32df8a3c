"""What ssh's words mean when it gets to no host: a finding, with what mends it."""

from __future__ import annotations

import re

from berth.findings.finding import Finding, Subject
from berth.operations.remote.client import PROGRAM, SshOptions
from berth.operations.remote.findings import find
from berth.operations.remote.target import Target
from berth.texts.command import spelled

_FRAME = re.compile(r"^[@\s]*(?:@.*@)?[@\s]*$")
"""What ssh draws around its warnings."""
_ADVICE = re.compile(
    r"^(?:IT IS POSSIBLE|Someone could be|It is also possible|Please contact|Add correct|  remove with:|  ssh-keygen)"
)
_OFFENDING = re.compile(r"^Offending \S+ key in (?P<file>.+):\d+", re.MULTILINE)
_CHANGED = re.compile(r"^(?:\S+ )?[Hh]ost key for (?P<name>\S+) has changed", re.MULTILINE)
_UNKNOWN = re.compile(r"Host key verification failed|host key is known for|authenticity of host", re.IGNORECASE)
_DENIED = re.compile(r"Permission denied|Too many authentication failures|No more authentication methods")
_NAMELESS = re.compile(r"Could not resolve hostname")
_REFUSED = re.compile(r"Connection refused")
_UNREACHABLE = re.compile(
    r"timed out|No route to host|Network is unreachable|Host is down|Connection to \S+ timed out|banner exchange",
    re.IGNORECASE,
)


def fault(target: Target, options: SshOptions, complaints: str, *, was_asked: bool, heard: str = "") -> Finding:
    """What is in the way, told from what ssh said. was_asked: it could ask for a password; heard: the host's words."""
    host, said = Subject("host", str(target)), words_of(complaints)
    by_hand = spelled(PROGRAM, *options.words(), target.word, "true")
    if changed := _CHANGED.search(complaints):
        offending = _OFFENDING.search(complaints)
        where = ("-f", offending["file"]) if offending else ()
        forget = spelled("ssh-keygen", *where, "-R", changed["name"])
        return find("host-key-changed", host, said=said, forget=forget, by_hand=by_hand)
    if _UNKNOWN.search(complaints):
        return find("host-key-unknown", host, said=said, by_hand=by_hand)
    if _DENIED.search(complaints):
        return find("not-let-in", host, variant="told" if was_asked else "silent", said=said)
    if _NAMELESS.search(complaints):
        return find("no-such-host", host, said=said)
    if _REFUSED.search(complaints):
        return find("connection-refused", host, said=said)
    if _UNREACHABLE.search(complaints):
        return find("no-answer", host, said=said, by_hand=by_hand)
    if heard or not said:
        return find("no-shell", host, said=heard or "-", by_hand=by_hand)
    return find("ssh-failed", host, said=said, by_hand=by_hand)


def words_of(complaints: str) -> str:
    """What ssh said, in one line, without the frames and advice around it."""
    lines = [line.rstrip() for line in complaints.replace("\r", "").splitlines()]
    told = [line.strip() for line in lines if line and not _FRAME.match(line) and not _ADVICE.match(line)]
    return " ".join(dict.fromkeys(told)).rstrip(".")
