"""What click complains of, as one sentence of ours that names options as they are typed."""

from __future__ import annotations

import re

import click

from berth.cli.commands import Unknown, alike, did_you_mean
from berth.cli.manner import both
from berth.texts.text import Text, joined
from berth.volumes.errors import Refused

_RANGE = re.compile(r"([\d.]+)<=x<=([\d.]+)")


def explained(error: click.ClickException) -> Text:
    """The sentence. What a command refused itself is told as it says it."""
    match error:
        case Unknown():
            return error.text
        case click.MissingParameter():
            return _missing(error)
        case click.NoSuchOption():
            return _unknown_option(error)
        case click.BadParameter():
            return _behind(_hint(error), both(in_words(error.message)))
        case click.UsageError():
            return both(error.format_message().rstrip("."))
    return both(error.format_message())


def in_words(text: str) -> str:
    """click's `1<=x<=10` as people say it."""
    return _RANGE.sub(r"from \1 to \2", text).replace("in the range from", "from")


def refused(refusal: Refused, option: str) -> Text:
    """What was refused, under the option that set it."""
    why = Text(refusal.why, refusal.why_zh) if refusal.why_zh else both(refusal.why)
    return _behind(option, why)


def _missing(error: click.MissingParameter) -> Text:
    metavar = error.param.make_metavar(error.ctx) if isinstance(error.param, click.Option) and error.ctx else ""
    return missing(f"{_hint(error)} {metavar}".strip(), error.ctx.command_path if error.ctx else "berth")


def missing(wanted: str, path: str) -> Text:
    """An option or argument that a command can't do without."""
    return Text(f"{wanted} is missing; `{path} --help` says what it is", f"缺少 {wanted}；用法见 `{path} --help`")


def _unknown_option(error: click.NoSuchOption) -> Text:
    path = error.ctx.command_path if error.ctx else "berth"
    said = Text(f"{error.option_name} is not an option of `{path}`", f"`{path}` 没有选项 {error.option_name}")
    if error.possibilities:
        near = alike(error.option_name, error.possibilities) or sorted(error.possibilities)[:3]
        return joined((said, did_you_mean(near)))
    return joined((said, Text(f"`{path} --help` lists them", f"`{path} --help` 会列出所有选项")))


def _behind(hint: str, why: Text) -> Text:
    return Text(f"{hint}: {why.en.rstrip('.')}", f"{hint}：{why.zh.rstrip('。.')}") if hint else why


def _hint(error: click.BadParameter) -> str:
    """The option as it is typed, an argument by what stands for it in the help."""
    if error.param_hint is not None:
        return error.param_hint if isinstance(error.param_hint, str) else " / ".join(error.param_hint)
    if isinstance(error.param, click.Option):
        return max(error.param.opts, key=len)
    return error.param.make_metavar(error.ctx) if error.param is not None and error.ctx is not None else ""
