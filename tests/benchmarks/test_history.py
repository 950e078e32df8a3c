"""One line for each release, and the picture that is drawn from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import history
from benchmarks.errors import BenchFailed
from benchmarks.figures import FIGURES
from benchmarks.results import Results

MACHINE: dict[str, Any] = {"cpu": "any", "cores": 2, "kubernetes": "1.20", "python": "3.11", "others_percent": 1.0}
DOCS = Path(__file__).parents[2] / "docs"


def measured(value: float = 2.0) -> Results:
    results = Results()
    results.add(dict.fromkeys(history.DRAWN, value))
    results.add({"provision.per_s": 500})
    return results


def write(directory: Path, version: str, results: Results) -> None:
    history.write(version, results, MACHINE, directory / "history.jsonl", directory / "picture.svg")


def test_releases_are_in_their_order_and_one_measured_again_keeps_its_line(tmp_path: Path) -> None:
    for version, value in (("0.10.0", 3.0), ("0.9.0", 2.0), ("0.10.0", 4.0)):
        write(tmp_path, version, measured(value))
    entries = history.read(tmp_path / "history.jsonl")
    assert [(entry["version"], entry["figures"]["purge.speedup"]) for entry in entries] == [
        ("0.9.0", 2.0),
        ("0.10.0", 4.0),
    ]
    assert "provision.per_s" not in entries[0]["figures"]
    assert (tmp_path / "picture.svg").read_text() == history.draw(entries)


def test_a_release_of_which_something_was_not_measured_gets_no_line(tmp_path: Path) -> None:
    results = measured()
    del results.samples["purge.speedup"]
    with pytest.raises(BenchFailed, match=r"not measured: purge\.speedup$"):
        write(tmp_path, "0.1.0", results)
    assert not list(tmp_path.iterdir())


def test_what_could_not_be_told_on_a_busy_machine_is_left_out_and_the_picture_says_so(tmp_path: Path) -> None:
    results = measured()
    results.was_busy = True
    write(tmp_path, "0.1.0", results)
    (entry,) = history.read(tmp_path / "history.jsonl")
    assert "purge.speedup" not in entry["figures"]
    assert entry["figures"]["provision.requests"] == 2.0
    timed = [figure for figure in FIGURES if figure.is_timed and figure.key in history.DRAWN]
    assert (tmp_path / "picture.svg").read_text().count("not measured yet") == len(timed)


@pytest.mark.parametrize("count", [0, 1, 2, 30])
def test_the_picture_holds_every_panel_within_its_bounds(count: int) -> None:
    entries = [
        {"version": f"0.{number}.0", "figures": dict.fromkeys(history.DRAWN, 5.0 * number)} for number in range(count)
    ]
    root = ElementTree.fromstring(history.draw(entries))
    text = "".join(root.itertext())
    assert all(figure.title in text for figure in FIGURES if figure.key in history.DRAWN)
    assert "prefers-color-scheme: dark" in text
    dots = [each for each in root.iter() if each.tag.endswith("circle")]
    assert len(dots) == count * len(history.DRAWN)
    assert all(0 < float(dot.get("cx", 0)) < 360 and 36 < float(dot.get("cy", 0)) < 118 for dot in dots)


def test_the_picture_in_the_docs_is_of_the_history() -> None:
    assert history.PICTURE.read_text() == history.draw(history.read())


@pytest.mark.parametrize("page", ["performance.md", "performance.zh-CN.md"])
def test_each_figure_that_is_judged_is_explained(page: str) -> None:
    text = (DOCS / page).read_text()
    judged = [figure for figure in FIGURES if figure.target]
    assert [figure.key for figure in judged if f"`{figure.key}`" not in text] == []
    assert [figure.key for figure in judged if figure.target not in text] == []
