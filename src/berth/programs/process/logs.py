"""How a process logs: for people on a terminal, one JSON object a line otherwise. Always on stderr."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from berth.texts.bounded import bounded
from berth.texts.exact import escaped
from berth.texts.visible import visible

_LONGEST = 2000
"""Bytes of one value of a line."""
_TRACEBACKS = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)


def configure_logs(form: str, level: str) -> None:
    """form: `human`, `json`, or `auto` (human on a terminal). level: debug, info, warning or error."""
    human = form == "human" or (form == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor
    if human:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=32)
        stamp = structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
    else:
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
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


def _bound(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """No line grows by what strangers write, whoever forgot to shorten it."""
    for name, value in fields.items():
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
