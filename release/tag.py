"""`python3 -m release.tag vVERSION`: whether a tag is this checkout's version, and what is said of that version.

Prints the version's part of CHANGELOG.md. `--home`: instead, where Berth is published, as `name=place` lines.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import asdict
from pathlib import Path

from berth import __version__
from berth.settings.home import HOME
from release.labels import version

CHANGELOG = Path(__file__).resolve().parent.parent / "CHANGELOG.md"


class WrongTag(Exception):  # noqa: N818 - says what is wrong
    """The tag is on the wrong commit, or the commit is not ready for it."""


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 right, 1 wrong, after one sentence."""
    parser = argparse.ArgumentParser(prog="python3 -m release.tag", description=__doc__)
    parser.add_argument("tag", metavar="TAG", help="such as v0.1.0")
    parser.add_argument("--home", action="store_true", help="print where Berth is published")
    options = parser.parse_args(arguments)
    try:
        notes = check(options.tag, CHANGELOG.read_text())
    except WrongTag as error:
        print(f"release.tag: {error}", file=sys.stderr)
        return 1
    print("\n".join(f"{name}={place}" for name, place in asdict(HOME).items()) if options.home else notes)
    return 0


def check(tag: str, changelog: str) -> str:
    """What the changelog says of the version. WrongTag: why the tag can't stand on this commit."""
    if len({version(), __version__}) != 1:
        raise WrongTag(f"pyproject.toml says {version()}, src/berth/__init__.py {__version__}: write both")
    if tag != f"v{version()}":
        raise WrongTag(f"the tag is {tag}, and the version of this commit is {version()}: its tag is v{version()}")
    dated = re.search(
        rf"(?ms)^## \[{re.escape(version())}\] - \d{{4}}-\d\d-\d\d$\n(?P<notes>.*?)(?=^## \[|\Z)", changelog
    )
    if dated is None:
        raise WrongTag(f"CHANGELOG.md has no heading `## [{version()}] - DATE`: give what is unreleased that one")
    waiting = re.search(r"(?ms)^## \[Unreleased\]$(?P<what>.*?)(?=^## \[|\Z)", changelog)
    if waiting is not None and waiting["what"].strip():
        raise WrongTag("CHANGELOG.md has changes below [Unreleased], which this commit holds: give them the version")
    return dated["notes"].strip()


if __name__ == "__main__":
    sys.exit(main())
