"""The Helm chart as one archive, as `helm package` makes it, with the same bytes each time."""

from __future__ import annotations

import re
from pathlib import Path

from devcluster.errors import DevClusterError
from release import tree
from release.labels import version

CHART = Path(__file__).resolve().parent.parent / "deploy" / "chart" / "berth"


def make(target: Path) -> None:
    """Writes target. DevClusterError where the chart's versions are not those of this checkout."""
    told = (CHART / "Chart.yaml").read_text()
    for field in ("version", "appVersion"):
        if not re.search(rf'^{field}: "?{re.escape(version())}"?$', told, re.MULTILINE):
            raise DevClusterError(f"{CHART}/Chart.yaml has another {field} than {version()}, which is pyproject.toml's")
    plain = target.with_name(f"{target.name}.tar")
    with plain.open("wb") as sink:
        tree.pack(CHART, sink, prefix=f"{CHART.name}/")
    tree.compress(plain, target)
    plain.unlink()
