"""`berth image`: the group."""

from __future__ import annotations

from berth.cli.commands import BerthGroup

SUBCOMMANDS = {
    "push": "berth.cli.image.push:push_command",
    "load": "berth.cli.image.load:load_command",
}
"""Each subcommand and the function that makes it, in the order of `berth image --help`."""


def image_command() -> BerthGroup:
    """The group with all subcommands."""
    return BerthGroup(
        "image",
        lazy=SUBCOMMANDS,
        short_help="Berth's image: put it where your nodes find it.",
        help="Berth's image: put it where your nodes find it.\n\n"
        "Into a registry that they can pull from, or onto each of them. The image is in an archive that comes with the "
        "release, as this command does.",
    )
