"""Every guide does what it says: its blocks are typed into real parts, and what comes back is what it shows.

Both languages type the same (test_pages), so of the Chinese pages one is typed each time, and all with --all-pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

import pytest

from tests.docs.likeness import alike, essence
from tests.docs.page import guides, read
from tests.docs.stage import Stage, stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("docs")) as made:
        yield made


BOTH = "kubernetes"
"""The guide that is typed in both languages each time: the first one that people try."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    every = metafunc.config.getoption("all_pages")
    pages = [path for path in guides() if every or not path.name.endswith(".zh-CN.md") or path.name.startswith(BOTH)]
    metafunc.parametrize("path", pages, ids=[path.name for path in pages])


def test_a_guide_shows_what_really_happens(real: Stage, path: Path) -> None:
    page = read(path)
    for block, answered in real.run(page):
        for command, output in answered:
            if not alike(command.output, output):
                shown, got = ([essence(line) for line in lines] for lines in (command.output, output))
                difference = "\n".join(unified_diff(shown, got, "shown", "real", lineterm=""))
                where = f"{page.name}:{block.begin}: {command.text}"
                pytest.fail(f"{where}\n{difference}\n`python -m tests.docs {page.name}` writes what is real")
