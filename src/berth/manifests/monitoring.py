"""What the Prometheus operator is told."""

from __future__ import annotations

from berth.kube.manifest import Manifest
from berth.manifests.workload import PORT_NAME, Workload
from berth.settings.install import InstallSettings


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
