"""A command about a host that can be run on others: `--on`, and how ssh gets there."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from berth.cli.commands import BerthCommand
from berth.cli.ending import EXIT_USAGE, end
from berth.cli.manner import REDACT, language, redaction
from berth.cli.wrapping import is_terminal
from berth.operations.remote.client import SshOptions
from berth.operations.remote.protocol import STREAMS
from berth.operations.remote.target import BadHost, Target, parse_target
from berth.operations.remote.work import Order
from berth.texts.text import Text

_WORDS = "berth.words"
"""Where a context keeps the command that is run on the hosts."""
_KEPT = ("output", "lang")
"""Options that are meant for the answer here; the hosts are told, too."""

ON = click.Option(
    ["--on", "hosts"], multiple=True, metavar="[USER@]HOST",
    help="Not this host, but that one, over ssh: nothing has to be installed there. Repeatable: all at once.",
)  # fmt: skip
_WAY: tuple[click.Option, ...] = (
    click.Option(["--ask-pass"], is_flag=True, help="With --on: ask for what ssh or sudo wants to know, a password."),
    click.Option(["-p", "--ssh-port"], type=click.IntRange(1, 65535), help="With --on: as ssh's -p."),
    click.Option(["-J", "--ssh-jump"], metavar="[USER@]HOST", default="", help="With --on: as ssh's -J, a jump host."),
    click.Option(["-i", "--ssh-identity"], multiple=True, metavar="FILE", help="With --on: as ssh's -i, a key."),
    click.Option(["-F", "--ssh-config"], metavar="FILE", default="", help="With --on: as ssh's -F."),
    click.Option(["--ssh-option"], multiple=True, metavar="KEY=VALUE", help="With --on: as ssh's -o. Repeatable."),
    click.Option(["--command", "commands"], multiple=True, metavar="FILE", type=click.Path(path_type=Path),
                 help="With --on: the self-contained command that is brought there. Repeatable: for other machines. "
                 "[default: what lies beside this one]"),
)  # fmt: skip
_OWN = frozenset(str(each.name) for each in (ON, *_WAY))


class HostCommand(BerthCommand):
    """A command about this host; with `--on` about others, where all its other options are understood."""

    def __init__(self, name: str, *, params: Sequence[click.Parameter], **more: Any) -> None:
        own = [each for each in params if each.name not in _OWN]
        tail = [each for each in own if each.name in _KEPT]
        others = [each for each in own if each.name not in _KEPT]
        super().__init__(name, params=[*others, ON, *_WAY, *tail], **more)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; with `--on` what the command is given is left to the hosts, as it is typed."""
        given, rest, _ = self.make_parser(ctx).parse_args(args=list(args))
        helping = self.get_help_option(ctx)
        if "hosts" not in given or rest or (helping is not None and helping.name in given):
            return super().parse_args(ctx, args)
        for each in self.params:
            if each.required and not _values(each, given):
                raise click.MissingParameter(ctx=ctx, param=each)
        mine = [each for each in self.params if each.name in _OWN or each.name in _KEPT]
        ctx.meta[_WORDS] = tuple(_words([each for each in self.params if each not in mine], given))
        return click.Command(self.name, params=mine).parse_args(ctx, [*_words(mine, given)])

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command: here, or on the hosts."""
        words = ctx.meta.get(_WORDS)
        own = {name: ctx.params.pop(name) for name in _OWN}
        if words is None:
            for each in _WAY:
                if own[str(each.name)]:
                    raise click.UsageError(f"{max(each.opts, key=len)} says how to get to a host: give --on, too")
            return super().invoke(ctx)
        # What it takes to speak with other hosts is imported by those who want it.
        from berth.cli.hosts.side_by_side import run_on

        spoken = language(ctx.params["lang"])
        output = ctx.params["output"]
        hosts = _targets(own["hosts"])
        kept = [f"--output={'table' if output == 'table' else 'json'}", f"--lang={spoken}"]
        if redaction() is not None and REDACT not in words:  # where it stands before the command
            kept.append(REDACT)
        order = Order(
            (*_path_of(ctx), *kept, *words),
            tuple(name for name in STREAMS if is_terminal(getattr(sys, name))),
            SshOptions(own["ssh_port"], own["ssh_jump"], own["ssh_identity"], own["ssh_config"], own["ssh_option"]),
            own["commands"],
        )
        return run_on(hosts, order, output, spoken, may_ask=own["ask_pass"])


def _words(params: Iterable[click.Parameter], given: Mapping[str, Any]) -> Iterator[str]:
    """What was typed of these parameters: options first, each with its value in one word."""
    arguments: list[str] = []
    for each in params:
        values = _values(each, given)
        if isinstance(each, click.Option):
            name = max(each.opts, key=len)
            yield from (name if each.is_flag else f"{name}={one}" for one in values)
        else:
            arguments += values
    if arguments:
        yield from ("--", *arguments)


def _values(param: click.Parameter, given: Mapping[str, Any]) -> list[str]:
    """What was typed of a parameter. The parser has more than one sign for nothing."""
    value = given.get(str(param.name))
    values = value if isinstance(value, list | tuple) else [value]
    return [str(each) for each in values if isinstance(each, str | bool)]


def _path_of(ctx: click.Context) -> tuple[str, ...]:
    """The command's name and those of the groups around it, without the program's."""
    names: list[str] = []
    where: click.Context | None = ctx
    while where is not None and where.parent is not None:
        names.insert(0, str(where.info_name))
        where = where.parent
    return tuple(names)


def _targets(given: Sequence[str]) -> list[Target]:
    found: dict[str, Target] = {}
    for each in given:
        try:
            found.setdefault(each, parse_target(each))
        except BadHost as error:
            end(Text(f"--on: {error.text.en}", f"--on：{error.text.zh}"), EXIT_USAGE)
    return list(found.values())
