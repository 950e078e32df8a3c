"""What a registry asks for before it takes something (RFC 7235), and how a token server is asked for a token."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from berth.images.login import Login

_CHALLENGE = re.compile(r"(?:^|,)\s*(basic|bearer)(?=\s|$)", re.IGNORECASE)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_PARAMETER = re.compile(r'([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^",\s]+))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to log in that a registry offers."""

    kind: str
    """basic or bearer."""
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def realm(self) -> str:
        """Where tokens are to be had."""
        return self.parameters.get("realm", "")


def challenges(header: str) -> Iterator[Challenge]:
    """Those of a WWW-Authenticate header that we know, tokens first: a registry that has both wants these."""
    outside = _QUOTED.sub(lambda quoted: "x" * len(quoted[0]), header)  # what is quoted begins no challenge
    found = [*_CHALLENGE.finditer(outside)]
    known = []
    for each, after in zip(found, [*found[1:], None], strict=False):
        text = header[each.end() : after.start() if after else len(header)]
        parameters = {one[1].lower(): one[2] if one[2] is not None else one[3] for one in _PARAMETER.finditer(text)}
        known.append(Challenge(each[1].lower(), parameters))
    yield from sorted(known, key=lambda one: one.kind != "bearer")


def token_request(wanted: Challenge, name: str, login: Login | None) -> tuple[str, str, dict[str, str], bytes]:
    """Method, URL, headers and body that ask for a token to pull from and push to a name.

    By Docker's Registry v2 token specification: GET with name and password, or none; POST with an identity token
    (its OAuth2 part).
    """
    asked = {"scope": f"repository:{name}:pull,push"}
    if service := wanted.parameters.get("service"):
        asked["service"] = service
    if login is not None and login.token:
        form = {"grant_type": "refresh_token", "client_id": "berth", "refresh_token": login.token, **asked}
        return "POST", wanted.realm, {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(form).encode()
    joint = "&" if "?" in wanted.realm else "?"
    headers = {"Authorization": login.basic} if login is not None else {}
    return "GET", f"{wanted.realm}{joint}{urlencode(asked)}", headers, b""
