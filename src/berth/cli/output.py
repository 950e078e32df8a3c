"""What every command prints alike: complaints, what exit codes mean, in which language and form to answer."""

from __future__ import annotations

import os
import sys

import click

from berth.texts.text import Language, language_of

EXIT_FAILED = 1
"""It was understood, and did not work."""
EXIT_USAGE = 2
"""It was not understood: wrong arguments, settings or configuration."""

LANGUAGE = click.Option(
    ["--lang"], type=click.Choice(["en", "zh"]), help="Language of the answer. [default: the locale's]"
)


def output_option(*others: str) -> click.Option:
    """`-o`: for people, or as JSON."""
    return click.Option(
        ["-o", "--output"],
        type=click.Choice(["text", *others, "json"]),
        default="text",
        help="Form of the answer. [default: text]",
    )


def language(lang: str | None) -> Language:
    """The language asked for, else the locale's."""
    return "zh" if lang == "zh" else "en" if lang == "en" else language_of(os.environ)


def complain(sentence: str) -> None:
    """One sentence on stderr."""
    print(f"berth: {sentence}", file=sys.stderr)  # noqa: T201 - this is the place that prints
