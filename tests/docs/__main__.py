"""`python -m tests.docs PAGE...`: runs the pages' blocks and writes what really came back into them."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from devcluster.errors import DevClusterError
from tests.docs.likeness import merged
from tests.docs.page import Block, Command, Page, guides, read
from tests.docs.stage import stage


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 all pages say what is so, 1 not run after one sentence why."""
    parser = argparse.ArgumentParser(prog="python -m tests.docs", description=__doc__)
    parser.add_argument("page", nargs="*", type=Path, help="default: every guide")
    chosen = parser.parse_args(arguments).page or guides()
    failed = 0
    try:
        with tempfile.TemporaryDirectory(prefix="docs-") as room, stage(Path(room)) as real:
            for path in chosen:
                page = read(path.resolve())
                try:
                    said = "written" if write(page, list(real.run(page))) else "is as it should be"
                except DevClusterError as error:
                    failed, said = 1, f"is left as it was: {error}"
                print(f"{page.name}: {said}", flush=True)
    except DevClusterError as error:
        print(f"docs: {error}", file=sys.stderr)
        return 1
    return failed


def write(page: Page, answers: list[tuple[Block, list[tuple[Command, list[str]]]]]) -> bool:
    """Puts what came back into the page; whether that changed it."""
    before = list(page.lines)
    for block, answered in reversed(answers):
        lines = [line for command, output in answered for line in (*command.shown, *merged(command.output, output))]
        page.lines[block.begin : block.end] = [f"{block.indent}{line}".rstrip() for line in lines]
    page.save()
    return page.lines != before


if __name__ == "__main__":
    sys.exit(main())
