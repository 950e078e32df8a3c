"""Who an export is for: the six kinds of clients of exports(5), which are written wrongly, and which overlap."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from berth.nfsserver.texts import say

ClientKind = Literal["host", "network", "wildcard", "netgroup", "everybody", "gss"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

EVERYBODY = "*"


Fault = Literal[
    "other-brackets",
    "bracketed-address",
    "comma-in-client",
    "address-range",
    "bad-network",
    "wildcard-on-address",
    "bad-client",
]
"""What is wrong with a client, in the words of the findings."""


class BadClient(Exception):  # noqa: N818 - says what it is about
    """A client that can't match any host, or not those that are meant. plain: what is probably meant, if anything."""

    def __init__(self, fault: Fault, client: str, plain: str = "") -> None:
        self.said = say(f"client.{fault}", client=client, plain=plain)
        """What is wrong with it, in both languages."""
        super().__init__(self.said.en)
        self.fault = fault
        self.plain = plain


@dataclass(frozen=True, slots=True)
class Client:
    """One client of an export."""

    text: str
    """As exportfs names it; `*` for everybody."""
    kind: ClientKind
    network: Network | None = None
    """The addresses of a network or a literal address; None where it depends on names."""

    @property
    def is_everybody(self) -> bool:
        """Does it match every host there is."""
        return self.kind == "everybody" or (self.network is not None and self.network.prefixlen == 0)


@lru_cache(maxsize=10_000)
def classify(text: str) -> Client:
    """The client as exportfs takes it; never raises (network is None where the address is no address)."""
    if text in ("", EVERYBODY):
        return Client(EVERYBODY, "everybody")
    if text.startswith("gss/"):
        return Client(text, "gss")
    if text.startswith("@"):
        return Client(text, "netgroup")
    first = re.match(r"(?:\\.|[^*?\[/])*([*?\[/])?", text, re.DOTALL)
    mark = first[1] if first else None
    if mark == "/":
        return Client(text, "network", _network(text))
    if mark:
        return Client(text, "wildcard")
    address = _address(text)
    return Client(text, "host", ipaddress.ip_network(address) if address else None)


def check(text: str) -> Client:
    """The client, if it can be meant as it is written. BadClient otherwise."""
    client = classify(text)
    if listed := _OTHER_BRACKETS.fullmatch(text):
        raise BadClient("other-brackets", text, f"{listed[1]}({listed[2]})")
    if _RANGE.fullmatch(text):
        raise BadClient("address-range", text)
    plain = text.replace("[", "").replace("]", "")
    if plain != text and _address(plain.partition("/")[0]):
        raise BadClient("bracketed-address", text, plain)
    if "," in text:
        raise BadClient("comma-in-client", text)
    if client.kind == "network" and client.network is None:
        raise BadClient("bad-network", text)
    if client.kind == "wildcard" and re.fullmatch(r"[0-9*?.]+", text):
        raise BadClient("wildcard-on-address", text, _as_network(text))
    is_name = client.kind == "host" and not client.network
    if (is_name and not _HOST.fullmatch(text)) or text == "@" or set(text) & set(' \t\r\n"#\\()'):
        raise BadClient("bad-client", text)
    return client


_OTHER_BRACKETS = re.compile(r"([^\[\]{}<>]+)[\[{<]((?:rw|ro|\w+,|\w+=)[^\[\]{}<>]*)[\]}>]")
"""Options that stand in brackets which hold none: `10.0.0.0/8[rw,sync]`."""
_RANGE = re.compile(r"\d+\.\d+\.\d+\.\d+-\d+(?:\.\d+\.\d+\.\d+)?")
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*\.?")


def host_bits(text: str) -> Network | None:
    """The network that is really meant where text has bits set beyond its mask (10.0.0.5/8), else None."""
    network = _network(text)
    address = _address(text.partition("/")[0])
    return network if network and address and network.network_address != address else None


def overlap(one: Client, other: Client) -> bool:
    """Can the same host match both, as far as can be told without asking for names."""
    if one.text.lower() == other.text.lower() or one.is_everybody or other.is_everybody:
        return True
    if one.network and other.network and one.network.version == other.network.version:
        return one.network.overlaps(other.network)
    return False


def covers(client: Client, address: str) -> bool:
    """Does the client match this address, network or name for sure, without asking for names."""
    wanted = classify(address)
    if client.is_everybody or client.text.lower() == address.lower():
        return True
    if client.network and wanted.network and client.network.version == wanted.network.version:
        return wanted.network.subnet_of(client.network)  # type: ignore[arg-type] # the same version was checked
    return False


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _network(text: str) -> Network | None:
    base, _, mask = text.partition("/")
    address = _address(base)
    # Python would take a host mask (/0.0.0.255) for its opposite; exportfs does not.
    if address is None or (address.version == 4 and "." in mask and not _is_netmask(mask)):
        return None
    try:
        return ipaddress.ip_network(f"{base}/{mask}", strict=False)
    except ValueError:
        return None


def _is_netmask(mask: str) -> bool:
    address = _address(mask)
    return address is not None and "01" not in f"{int(address):032b}"


def _as_network(text: str) -> str:
    parts = [part for part in text.split(".") if part.isdigit()]
    if not 1 <= len(parts) <= 3:
        return "192.168.1.0/24"
    return f"{'.'.join([*parts, '0', '0', '0'][:4])}/{8 * len(parts)}"
