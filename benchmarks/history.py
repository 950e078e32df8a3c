"""The portable figures of each release: benchmarks/history.jsonl, a line each, and docs/performance.svg, made of it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import picture
from benchmarks.errors import BenchFailed
from benchmarks.figures import FIGURES
from benchmarks.results import Results

FILE = Path(__file__).with_name("history.jsonl")
PICTURE = Path(__file__).parent.parent / "docs/performance.svg"
DRAWN = (
    "provision.of_raw", "release.of_raw", "provision.cpu_ms", "release.cpu_ms", "provision.requests",
    "release.requests", "provision.nfs_calls", "release.nfs_calls", "purge.speedup", "purge.speedup_v3",
)  # fmt: skip
"""What a release must have measured: the figures of `make bench` that are in the picture."""


def read(file: Path = FILE) -> list[dict[str, Any]]:
    """One entry for each release, oldest first."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def write(version: str, results: Results, machine: Mapping[str, Any], file: Path = FILE, drawn: Path = PICTURE) -> None:
    """The line of a release, in the place of the one that it had. BenchFailed where something was not measured.

    What could not be told on a busy machine is left out, and the picture says so.
    """
    figures = results.portable()
    lacking = [key for key in DRAWN if key not in results.samples]
    if lacking:
        raise BenchFailed(f"the line of a release needs all of `make bench`; not measured: {', '.join(lacking)}")
    facts = ("cpu", "cores", "kubernetes", "python", "others_percent")
    line = {
        "version": version,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": {name: machine[name] for name in facts},
        "figures": figures,
    }
    entries = [entry for entry in read(file) if entry["version"] != version]
    entries.append(line)
    entries.sort(key=lambda entry: [int(part) for part in entry["version"].split(".")])
    file.write_text("".join(json.dumps(entry, separators=(", ", ": ")) + "\n" for entry in entries))
    drawn.write_text(draw(entries))


def draw(entries: Sequence[Mapping[str, Any]]) -> str:
    """The picture of some releases, as SVG."""
    panels = []
    for figure in FIGURES:
        if figure.key in DRAWN:
            values = [entry["figures"].get(figure.key) for entry in entries]
            panels.append(picture.Panel(figure, tuple(values)))
    return picture.draw(panels, [entry["version"] for entry in entries])
