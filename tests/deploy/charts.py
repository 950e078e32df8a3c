"""The chart as Helm's own code reads it, and what comes out of it, made comparable."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import helm_python as helm
import yaml

CHART = Path(__file__).parent.parent.parent / "deploy" / "chart" / "berth"
Manifest = dict[str, Any]


def render(values: Manifest, *, release: str = "berth", namespace: str = "berth-system") -> list[Manifest]:
    """The chart's objects, as `helm template` makes them: for the newest Kubernetes that Helm knows."""
    with helm.Chart.load(CHART) as chart:
        chart.validate_schema(values)
        rendered = chart.render(values, name=release, namespace=namespace)
    return [
        document
        for path, text in rendered.items()
        if path.endswith(".yaml")
        for document in yaml.safe_load_all(text)
        if document
    ]


def notes(values: Manifest, *, release: str = "berth", namespace: str = "berth-system") -> str:
    """What Helm says after installing."""
    with helm.Chart.load(CHART) as chart:
        return chart.render(values, name=release, namespace=namespace)["berth/templates/NOTES.txt"]


def one(manifests: Iterable[Manifest], kind: str) -> Manifest:
    """The only object of its kind."""
    (found,) = [manifest for manifest in manifests if manifest["kind"] == kind]
    return found


def comparable(manifests: Iterable[Manifest]) -> dict[tuple[str, str, str], Manifest]:
    """By kind, namespace and name, without what says who manages it."""
    found = {}
    for manifest in manifests:
        metadata = manifest["metadata"]
        found[manifest["kind"], metadata.get("namespace", ""), metadata["name"]] = _without_manager(manifest)
    return found


def _without_manager(value: Any) -> Any:
    if isinstance(value, dict):
        skipped = ("app.kubernetes.io/managed-by", "helm.sh/chart")
        return {key: _without_manager(inner) for key, inner in value.items() if key not in skipped}
    if isinstance(value, list):
        return [_without_manager(inner) for inner in value]
    return value
