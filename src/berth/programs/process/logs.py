"""How a process logs: for people on a terminal, one JSON object a line otherwise. Always on stderr.

For people a line begins with what it is about and a sentence; the fields stand behind:

    20:31:02 warning  ddddd/demo4nfs: will retry: connection refused  attempt=2 retry_in=2.0
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

from berth.texts.bounded import bounded
from berth.texts.exact import escaped
from berth.texts.visible import visible

_LONGEST = 2000
"""Bytes of one value of a line."""
_COLOURS = {"warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[31m", "debug": "\x1b[2m"}
_PLAIN = "\x1b[0m"
_SHORT = _LONGEST // 4
"""Characters that have never more bytes."""
_TRACEBACKS = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)


def configure_logs(form: str, level: str) -> None:
    """form: `human`, `json`, or `auto` (human on a terminal). level: debug, info, warning or error."""
    human = form == "human" or (form == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor
    if human:
        renderer = _Lines(is_coloured=sys.stderr.isatty() and not os.environ.get("NO_COLOR"))
        stamp = structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
    else:
        renderer = structlog.processors.JSONRenderer(serializer=_as_json)
        stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            stamp,
            *([] if human else [structlog.processors.ExceptionRenderer(_TRACEBACKS)]),
            _bound,
            *([_made_visible] if human else []),
            renderer,
            *([] if human else [_escaped]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # What libraries say through the standard logging matters only when it is trouble.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")


_ENCODER = json.JSONEncoder(ensure_ascii=False, default=repr)


def _as_json(fields: object, **_: object) -> str:
    """With one encoder for all lines: json.dumps would make one for each."""
    return _ENCODER.encode(fields)


class _Lines:
    """Renders for people."""

    def __init__(self, *, is_coloured: bool) -> None:
        self._is_coloured = is_coloured

    def __call__(self, _logger: object, _method: str, event: structlog.typing.EventDict) -> str:
        fields = dict(event)
        stamp, level = fields.pop("timestamp", ""), fields.pop("level", "")
        bug, key = fields.pop("exc_info", None), fields.pop("key", "")
        sentence, did, why = fields.pop("event", ""), fields.pop("did", ""), fields.pop("why", "")
        told = [str(each) for each in (key, did or sentence, why) if each]
        rest = " ".join(f"{name}={value}" for name, value in fields.items())
        label = f"{level:<7}"
        if self._is_coloured and level in _COLOURS:
            label = f"{_COLOURS[level]}{label}{_PLAIN}"
        line = f"{stamp} {label}  {': '.join(told)}{f'  {rest}' if rest else ''}"
        return f"{line}\n{_traceback_of(bug)}" if bug else line


def _traceback_of(bug: object) -> str:
    error = bug if isinstance(bug, BaseException) else sys.exc_info()[1]
    return "".join(traceback.format_exception(error)).rstrip() if error is not None else ""


def _bound(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """No line grows by what strangers write, whoever forgot to shorten it."""
    for name, value in fields.items():
        if not (isinstance(value, str) and len(value) <= _SHORT):
            fields[name] = _bounded(value)
    return fields


def _bounded(value: Any) -> Any:
    match value:
        case str():
            return bounded(value, _LONGEST)
        case dict():
            return {key: _bounded(each) for key, each in value.items()}
        case list():
            return [_bounded(each) for each in value]
        case _:
            return value


def _made_visible(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """What strangers wrote, as a terminal may show it. A traceback, which is ours, keeps its lines."""
    return {name: visible(said) if isinstance(said, str) else said for name, said in event.items()}


def _escaped(_logger: object, _method: str, line: Any) -> str:
    """The same for JSON, which reads back as the very text."""
    return escaped(line, is_json=True)
