"""What the Prometheus operator is told."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from berth.kube.manifest import Manifest
from berth.manifests.workload import PORT_NAME, Workload
from berth.settings.install import InstallSettings
from berth.texts.yaml_in import read_yaml

PLACE = "@berth@"
"""What stands in alerts.yaml for the labels of one installation's series."""


def service_monitor(settings: InstallSettings, workload: Workload) -> Manifest:
    """Every pod's metrics, twice a minute."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": workload.metadata(settings),
        "spec": {
            "selector": {"matchLabels": workload.selector(settings)},
            "endpoints": [{"port": PORT_NAME, "path": "/metrics", "interval": "30s"}],
        },
    }


def alerts_text() -> str:
    """alerts.yaml: the rules, for whatever installation PLACE is replaced by."""
    return files("berth.manifests").joinpath("alerts.yaml").read_text("utf-8")


def prometheus_rule(settings: InstallSettings, workload: Workload) -> Manifest:
    """When somebody should look, and what to do then."""
    own = f'namespace="{settings.namespace}",job="{workload.name(settings)}-metrics"'
    rules: list[dict[str, Any]] = read_yaml(alerts_text().replace(PLACE, own))
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": workload.metadata(settings),
        "spec": {"groups": [{"name": "berth", "rules": rules}]},
    }
