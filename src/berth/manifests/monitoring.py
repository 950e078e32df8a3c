"""What the Prometheus operator is told."""

from __future__ import annotations

from berth.manifests.labels import labels, selector_labels
from berth.manifests.rbac import Manifest
from berth.manifests.workload import PORT_NAME
from berth.settings.install import InstallSettings


def service_monitor(settings: InstallSettings) -> Manifest:
    """Every pod's metrics, twice a minute."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": settings.name, "namespace": settings.namespace, "labels": labels(settings)},
        "spec": {
            "selector": {"matchLabels": selector_labels(settings)},
            "endpoints": [{"port": PORT_NAME, "path": "/metrics", "interval": "30s"}],
        },
    }
