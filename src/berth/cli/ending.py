"""How every command ends: its job runs in an event loop, and what it could not do becomes one sentence and a code."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, TypeVar

import click

from berth.aio.command import CommandError
from berth.cli.manner import both, fit, form, has_answered, language, redaction
from berth.cli.output import OutputLost, complain, print_data
from berth.cli.usage import explained
from berth.findings.finding import Finding
from berth.images.errors import BadReference, ImageError
from berth.kube.errors import ConfigurationError, KubeError, Unreachable
from berth.nfsserver.errors import NfsServerError, RequestRefused, UnreadableExports, told
from berth.operations.errors import Stopped
from berth.operations.remote.findings import Unreached
from berth.settings.errors import SettingError
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

_BY_GRAVITY = (EXIT_WELL, EXIT_WARNINGS, EXIT_BLIND, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED)

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
    BadReference: EXIT_USAGE,
    ImageError: EXIT_FAILED,
    KubeError: EXIT_FAILED,
    NfsServerError: EXIT_FAILED,
    CommandError: EXIT_FAILED,
    Unreached: EXIT_BLIND,
    Stopped: EXIT_FAILED,
}
"""Of the errors that people are told of: the first that fits."""
_REASONS = {
    EXIT_WARNINGS: "NotAgreed", EXIT_FAILED: "Failed", EXIT_BLIND: "NotSeen", EXIT_USAGE: "Usage",
    EXIT_INTERRUPTED: "Interrupted",
}  # fmt: skip
"""What programs are told where the error has no name of its own."""
_INTERRUPTED = Text("interrupted", "已中断")
_LOST = Text("the answer could not be written to its end: {}", "结果未能完整写出：{}")


def run(job: Coroutine[Any, Any, T], lang: Language) -> T:
    """Does the job and answers its result. Ends the process with one sentence when it can't be done."""
    with ending(lang):
        return asyncio.run(job)


@contextmanager
def ending(lang: Language, more: Mapping[type[BaseException], int] | None = None) -> Iterator[None]:
    """Within it Ctrl-C, and errors that people are told of, end the process: one sentence, and a code.

    more: errors of one command alone, and their codes.
    """
    codes: dict[type[BaseException], int] = {**(more or {}), **_CODES}
    try:
        yield
    except KeyboardInterrupt:
        interrupted(lang)
    except tuple(codes) as error:
        code = next(code for kind, code in codes.items() if isinstance(error, kind))
        finding = error.finding if isinstance(error, Stopped) else None
        end(_sentence(error), code, reason=type(error).__name__, finding=finding, lang=lang)


def end(
    why: Text, code: int, *, reason: str = "", finding: Finding | None = None, lang: Language | None = None
) -> NoReturn:
    """Ends the process with a code and one sentence: on stderr, or as JSON or YAML in the place of the answer where
    one of these was asked for. reason: a word for programs.
    """
    spoken = language(lang)
    if form() == "table" or has_answered():
        complain(why.said(spoken))
    else:
        print_data(error_data(why, code, reason=reason, finding=finding), form())
    raise SystemExit(code) from None


def error_data(why: Text, code: int, *, reason: str = "", finding: Finding | None = None) -> dict[str, object]:
    """What programs are told in the place of an answer."""
    known: dict[str, object] = {"reason": reason or _REASONS[code], "message": Text(fit(why.en), fit(why.zh))}
    if finding is not None:
        wanted = redaction()
        known["finding"] = finding if wanted is None else wanted.finding(finding)
    return {"error": known, "exitCode": code}


@contextmanager
def complaints() -> Iterator[None]:
    """Within it what click complains of, Ctrl-C, and an answer that can't be written end the process."""
    try:
        yield
    except click.ClickException as error:
        end(explained(error), EXIT_USAGE)
    except (click.Abort, KeyboardInterrupt):
        interrupted(language())
    except OutputLost as error:
        _give_up_on_output()
        with suppress(OutputLost):
            complain(_LOST.said(language()).format(both(error.why).said(language())))
        raise SystemExit(EXIT_FAILED) from None


def worst(codes: Iterable[int]) -> int:
    """The exit code of a command that did several things, each with a code of its own."""
    return max(codes, key=lambda code: _BY_GRAVITY.index(code) if code in _BY_GRAVITY else len(_BY_GRAVITY))


def interrupted(lang: Language) -> NoReturn:
    """Ends the process as Ctrl-C does."""
    end(_INTERRUPTED, EXIT_INTERRUPTED, lang=lang)


def refused_sentence(refusal: Refused) -> Text:
    """What was refused, and why."""
    return Text(str(refusal), f"{both(refusal.field).zh}：{refusal.why_zh or both(refusal.why).zh}")


def _sentence(error: BaseException) -> Text:
    match error:
        case Stopped() | NfsServerError() | ImageError():
            return error.text
        case CommandError():
            return told(error)
        case Refused():
            return refused_sentence(error)
        case SettingError():
            return Text(str(error), f"{error.setting}：{both(error.why).zh}")
    return both(str(error))


def _give_up_on_output() -> None:
    """What is still in the buffer of stdout is not tried again when the process ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
