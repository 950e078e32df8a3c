"""How every command ends: its job runs in an event loop, and what it could not do becomes one sentence and a code."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

from berth.aio.command import CommandError
from berth.cli.output import complain
from berth.kube.errors import ConfigurationError, KubeError, Unreachable
from berth.nfsserver.errors import NfsServerError, RequestRefused, UnreadableExports, told
from berth.operations.errors import Stopped
from berth.texts.text import Language, Text
from berth.volumes.errors import Refused

T = TypeVar("T")

EXIT_WELL = 0
"""Done, and nothing to complain of."""
EXIT_WARNINGS = 1
"""It works, but look at it; or nothing was done, because somebody said no."""
EXIT_FAILED = 2
"""Something does not work, or what was asked for could not be done."""
EXIT_BLIND = 3
"""It could not look: what was to be looked at did not answer, or could not be read."""
EXIT_USAGE = 64
"""It was not understood: wrong arguments, settings or answers that nobody was there to give. Nothing was touched."""
EXIT_INTERRUPTED = 130
"""Ctrl-C."""

EXIT_CODES = (
    "Exit codes, of all commands: 0 well, 1 warnings or not agreed to, 2 failures, 3 could not look, 64 wrong usage, "
    "130 interrupted."
)

_CODES: dict[type[BaseException], int] = {
    UnreadableExports: EXIT_BLIND,
    Refused: EXIT_USAGE,
    RequestRefused: EXIT_USAGE,
    ConfigurationError: EXIT_BLIND,
    Unreachable: EXIT_BLIND,
    KubeError: EXIT_FAILED,
    NfsServerError: EXIT_FAILED,
    CommandError: EXIT_FAILED,
    Stopped: EXIT_FAILED,
}
"""Of the errors that people are told of: the first that fits."""
_INTERRUPTED = Text("interrupted", "已中断")


def run(job: Coroutine[Any, Any, T], lang: Language) -> T:
    """Does the job and answers its result. Ends the process with one sentence when it can't be done."""
    with ending(lang):
        return asyncio.run(job)


@contextmanager
def ending(lang: Language, more: Mapping[type[BaseException], int] | None = None) -> Iterator[None]:
    """Within it Ctrl-C, and errors that people are told of, end the process: one sentence on stderr, and a code.

    more: errors of one command alone, and their codes.
    """
    codes: dict[type[BaseException], int] = {**(more or {}), **_CODES}
    try:
        yield
    except KeyboardInterrupt:
        interrupted(lang)
    except tuple(codes) as error:
        complain(_sentence(error, lang))
        raise SystemExit(next(code for kind, code in codes.items() if isinstance(error, kind))) from None


def interrupted(lang: Language) -> NoReturn:
    """Ends the process as Ctrl-C does."""
    complain(_INTERRUPTED.said(lang))
    raise SystemExit(EXIT_INTERRUPTED) from None


def _sentence(error: BaseException, lang: Language) -> str:
    if isinstance(error, Stopped | NfsServerError):
        return error.text.said(lang)
    return told(error).said(lang) if isinstance(error, CommandError) else str(error)
