"""What `kubectl get … -o yaml` or `-o json` prints, as lines: there a message may go over several lines, or be escaped.

An event becomes the line that `kubectl get events` would print, with its whole message; of other objects the conditions
and messages are kept as lines, below the object's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from berth.texts.yaml_in import YamlError, YamlRefused, read_documents


def is_document(begun: bytes) -> bool:
    """Whether a text that begins so is one, rather than lines of a log."""
    start = begun.lstrip(b"-\r\n\t ")
    return start.startswith(b"apiVersion:") or (start.startswith(b"{") and start[1:].lstrip(b" ").startswith(b"\n"))


def as_lines(document: bytes) -> bytes:
    """Its lines; the document itself where it can't be read. YamlRefused where it stands for far more than it says."""
    is_json = document.lstrip().startswith(b"{")
    try:
        content = msgspec.json.decode(document) if is_json else list(read_documents(document))
        return "".join(f"{line}\n" for line in _lines(content)).encode()
    except YamlRefused:
        raise
    except (msgspec.DecodeError, YamlError, UnicodeDecodeError, RecursionError):
        return document


def _lines(content: Any) -> Iterator[str]:
    match content:
        case list():
            for each in content:
                yield from _lines(each)
        case {"items": list() as items}:
            yield from _lines(items)
        case {"kind": "Event", "message": str() as message}:
            yield _event(content, message)
        case {
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {"nfs": {"server": server, "path": path}},
        }:
            yield f'PersistentVolume "{name}" is on nfs {server}:{path}'
            yield from _of_object("PersistentVolume", name, {}, content)
        case {"kind": kind, "metadata": {"name": name, **meta}}:
            yield from _of_object(kind, name, meta, content)
        case dict():
            yield from _lines(list(content.values()))
        case str():
            yield from content.splitlines()


def _of_object(kind: object, name: object, meta: Mapping[Any, Any], content: object) -> Iterator[str]:
    """What an object's status and conditions say, each message behind the object's name."""
    where = f"{meta.get('namespace', '')}  -  Normal  Object  {str(kind).lower()}/{name}"
    yield from (f"{where}  {' '.join(message.split())}" for message in _messages(content))


def _event(event: dict[str, Any], message: str) -> str:
    about = event.get("involvedObject") or event.get("regarding") or {}
    count = event.get("count") or event.get("deprecatedCount") or 1
    times = f" (x{count} over -)" if count > 1 else ""
    where = f"{about.get('kind', '').lower()}/{about.get('name', '')}"
    line = f"{about.get('namespace', '')}  -  {event.get('type')}  {event.get('reason')}  {where}  {message}"
    return f"{' '.join(line.split())}{times}"


def _messages(content: object) -> Iterator[str]:
    """All texts in it that somebody wrote for people."""
    match content:
        case dict():
            for key, value in content.items():
                if key in ("message", "reason") and isinstance(value, str):
                    yield value
                else:
                    yield from _messages(value)
        case list():
            for each in content:
                yield from _messages(each)
