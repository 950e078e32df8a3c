"""The image that a command starts in a cluster: its name as nodes read it, and whether they can have it."""

from __future__ import annotations

import click

from berth.cli.ending import EXIT_USAGE, end
from berth.cli.usage import refused
from berth.settings.install import IMAGE
from berth.texts.images import read_image
from berth.volumes.errors import Refused


def image_options() -> list[click.Parameter]:
    """Of every command that starts Berth. Left out, an installation that runs keeps its image."""
    return [
        click.Option(["--image"], callback=readable,
                     help=f"The image, as your nodes can pull it. [default: {IMAGE}]"),
        click.Option(["--image-is-there"], is_flag=True,
                     help="Nodes have the image, or a mirror of theirs does, though none says so: don't look."),
    ]  # fmt: skip


def readable(_: click.Context, option: click.Parameter, image: str | None) -> str | None:
    """Ends the process unless it is a name of an image."""
    if image is not None and image != option.default:
        try:
            read_image(image)
        except ValueError as error:
            end(refused(Refused(option.opts[0], str(error)), option.opts[0]), EXIT_USAGE, reason="Refused")
    return image
