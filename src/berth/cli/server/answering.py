"""What the subcommands of `berth server` have in common: how a job's errors end the process."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import click

from berth.aio.command import CommandError
from berth.cli.output import EXIT_FAILED, EXIT_USAGE, complain
from berth.nfsserver.errors import NfsServerError, RequestRefused, told
from berth.texts.text import Language

T = TypeVar("T")

EXIT_INTERRUPTED = 130


def do(job: Coroutine[Any, Any, T], lang: Language) -> T:
    """Does the job and answers its result. Ends the process with one sentence when it can't be done."""
    try:
        return asyncio.run(job)
    except RequestRefused as error:
        complain(error.text.said(lang))
        raise SystemExit(EXIT_USAGE) from None
    except NfsServerError as error:
        complain(error.text.said(lang))
        raise SystemExit(EXIT_FAILED) from None
    except CommandError as error:
        complain(told(error).said(lang))
        raise SystemExit(EXIT_FAILED) from None
    except KeyboardInterrupt:
        complain("已中断" if lang == "zh" else "interrupted")
        raise SystemExit(EXIT_INTERRUPTED) from None


def wanted_options() -> list[click.Parameter]:
    """To whom something is exported, and how."""
    return [
        click.Option(["--client", "clients"], multiple=True, metavar="WHO",
                     help="Network, address or name of nodes that may mount it; root is nobody for them. Repeatable."),
        click.Option(["--provisioner", "provisioners"], multiple=True, metavar="WHO",
                     help="Where the provisioner comes from; root is root for it. Repeatable."),
        click.Option(["--option", "options"], multiple=True, metavar="OPTION",
                     help="Export option, such as insecure; it replaces a default that it contradicts. Repeatable."),
    ]  # fmt: skip


def marks(outcomes: Sequence[str]) -> list[str]:
    """The colour of each outcome or severity."""
    colours = {"passed": "green", "warning": "yellow", "failed": "red", "error": "red", "skipped": "dim", "note": "dim"}
    return [colours.get(outcome, "") for outcome in outcomes]
