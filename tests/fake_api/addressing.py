"""From a request's path to the object that it is about, and the Status of a refusal."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from berth.kube.answers import HttpAnswer, failure
from berth.kube.errors import StatusError
from berth.kube.exchange import Request
from tests.fake_api.store import Json, Location


@dataclass(frozen=True, slots=True)
class Target:
    """A request's path and query, taken apart."""

    location: Location
    subresource: str
    query: dict[str, str]


def target_of(request: Request) -> Target:
    """What a request is about."""
    url = urlsplit(request.target)
    query = {key: values[0] for key, values in parse_qs(url.query).items()}
    root, *parts = [unquote(part) for part in url.path.strip("/").split("/")]
    if root not in ("api", "apis"):
        return Target(Location("", root), "", query)
    api_version = parts.pop(0) if root == "api" else f"{parts.pop(0)}/{parts.pop(0)}"
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 2:
        _, namespace, *parts = parts
    plural, name, subresource = [*parts, "", ""][:3]
    return Target(Location(api_version, plural, namespace, name), subresource, query)


def location_of(obj: Json) -> Location:
    """Where an object belongs that says its kind and name."""
    meta = obj["metadata"]
    return Location(obj["apiVersion"], plural_of(obj["kind"]), meta.get("namespace", ""), meta["name"])


def plural_of(kind: str) -> str:
    """How a kind is called in paths."""
    word = kind.lower()
    if word.endswith("ss"):
        return f"{word}es"
    if word.endswith("s"):
        return word
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


def refusal(request: Request, code: int, reason: str, message: str) -> StatusError:
    """The error that the client makes of such an answer."""
    body = {"kind": "Status", "code": code, "reason": reason, "message": message}
    return failure(str(request), HttpAnswer(code, "", json.dumps(body).encode()))
