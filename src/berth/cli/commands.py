"""Commands and groups of commands, as all of `berth` are: help in the language asked for, and a suggestion for what was
misspelt.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

import click

from berth.cli.helping import help_of
from berth.cli.output import LANGUAGE, say_lines
from berth.texts.text import Text

_ALIKE, _VERY_ALIKE = 0.6, 0.75
_SUGGESTED = 3
_NO_WORSE = 0.15
"""How much less alike than the likeliest one a name may be, and still be named."""


class Helpful:
    """What BerthCommand and BerthGroup share."""

    def get_help(self, ctx: click.Context) -> str:
        """The help, in the language that the command line asks for."""
        return help_of(ctx)

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """The same everywhere."""
        return ["-h", "--help"]

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """click's, whose words are found in the tables of help."""
        option = super().get_help_option(ctx)  # type: ignore[misc] # the class beside this one has it
        if option is not None:
            option.help = "Show this help."
            option.callback = _show_help
        return option  # type: ignore[no-any-return]


class BerthCommand(Helpful, click.Command):
    """A command."""


class BerthGroup(Helpful, click.Group):
    """A group of commands. By itself it shows its help, unless it was given a callback.

    lazy: commands whose files are imported when they are asked for, each with `module:function`, before the others.
    summaries: what some of them say of themselves in short, so that a list of them imports none.
    """

    def __init__(
        self,
        name: str,
        *,
        lazy: Mapping[str, str] | None = None,
        summaries: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        more.setdefault("callback", _show_own_help)
        more.setdefault("params", [LANGUAGE])
        super().__init__(name, invoke_without_command=True, **more)
        self._lazy = dict(lazy or {})
        self.summaries = dict(summaries or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them in the order of the help, without importing any."""
        return [*self._lazy, *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None where there is none of that name."""
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        module, function = self._lazy[cmd_name].split(":")
        made: click.Command = getattr(import_module(module), function)()
        return made

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does. A name that is not known is answered with those that are like it, wherever they are."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise Unknown(error.command_name, ctx.command_path, suggestions(self, ctx, error.command_name)) from None


class Unknown(click.UsageError):
    """A command that does not exist. text: says so, with those that may be meant."""

    def __init__(self, name: str, path: str, meant: list[str]) -> None:
        """path: the command below which there is none of that name; meant: whole commands."""
        en, zh = f"`{path}` has no command {name!r}", f"`{path}` 没有命令 {name!r}"
        if meant:
            question = did_you_mean([f"`{each}`" for each in meant])
            en, zh = f"{en}; {question.en}", f"{zh}；{question.zh}"
        else:
            en, zh = f"{en}; `{path} --help` lists those it has", f"{zh}；`{path} --help` 会列出所有命令"
        self.text = Text(en, zh)
        super().__init__(en)


def suggestions(group: click.Group, ctx: click.Context, name: str) -> list[str]:
    """Commands that may be meant by this name, as one types them: the very name elsewhere, else what is like
    it in this group, else anywhere."""
    root = ctx.find_root()
    every = list(paths_of(root.command, root))
    if elsewhere := [path for path in every if path.rsplit(" ", 1)[-1] == name.lower()]:
        return elsewhere[:_SUGGESTED]
    if near := alike(name, group.list_commands(ctx)):
        return [f"{ctx.command_path} {each}" for each in near]
    near = alike(name, sorted({path.rsplit(" ", 1)[-1] for path in every}), _VERY_ALIKE)
    return [path for path in every if path.rsplit(" ", 1)[-1] in near][:_SUGGESTED]


def alike(name: str, known: Iterable[str], least: float = _ALIKE) -> list[str]:
    """Of what is known that which is spelled most like the name, at most three, the likeliest first."""
    typed = name.lower()
    close = difflib.get_close_matches(typed, list(known), _SUGGESTED, least)
    likeness = {each: difflib.SequenceMatcher(None, each, typed).ratio() for each in close}
    near = [each for each in close if likeness[each] >= max(likeness.values()) - _NO_WORSE]
    return sorted(near, key=lambda each: (-likeness[each], each[0] != typed[0]))


def did_you_mean(meant: Sequence[str]) -> Text:
    """The question whether one of these was meant."""
    *others, last = meant
    en, zh = f"{', '.join(others)} or {last}" if others else last, f"{'、'.join(others)} 或 {last}" if others else last
    return Text(f"did you mean {en}?", f"你是想用 {zh} 吗？")


def paths_of(command: click.Command, ctx: click.Context) -> Iterator[str]:
    """Every command below one, as it is typed."""
    yield from (context.command_path for context in contexts_of(command, ctx) if context is not ctx)


def contexts_of(command: click.Command, ctx: click.Context) -> Iterator[click.Context]:
    """A context for the command and for every one below it, the outer ones first."""
    yield ctx
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            below = command.get_command(ctx, name)
            assert below is not None
            yield from contexts_of(below, click.Context(below, info_name=name, parent=ctx))


@click.pass_context
def _show_own_help(ctx: click.Context, /, **_given: Any) -> None:
    if ctx.invoked_subcommand is None:
        say_lines(ctx.get_help())


def _show_help(ctx: click.Context, _option: click.Parameter, is_asked: bool) -> None:
    if is_asked and not ctx.resilient_parsing:
        say_lines(ctx.get_help())
        ctx.exit()


def help_command(root: Callable[[], click.Command]) -> click.Command:
    """`berth help [COMMAND]...`: what `--help` says after the command."""

    @click.pass_context
    def show(ctx: click.Context, words: tuple[str, ...], lang: str | None) -> None:
        command, where = root(), click.Context(root(), info_name=ctx.find_root().info_name)
        for word in words:
            if not isinstance(command, BerthGroup):
                break
            _, found, _ = command.resolve_command(where, [word])
            assert found is not None
            command, where = found, click.Context(found, info_name=word, parent=where)
        say_lines(command.get_help(where))

    return BerthCommand(
        "help",
        params=[click.Argument(["words"], nargs=-1, metavar="[COMMAND]..."), LANGUAGE],
        callback=show,
        short_help="Help about a command.",
        help="Help about a command: what `--help` after it says.",
    )
