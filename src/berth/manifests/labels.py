"""The labels by which an installation's objects are found again."""

from __future__ import annotations

from berth import __version__
from berth.settings.install import InstallSettings

MANAGED_BY = "app.kubernetes.io/managed-by"
INSTANCE = "app.kubernetes.io/instance"


def selector_labels(settings: InstallSettings, component: str = "") -> dict[str, str]:
    """What the pods of a component alone have. Never changed: a Deployment's selector can't be."""
    return {"app.kubernetes.io/name": f"berth-{component}" if component else "berth", INSTANCE: settings.name}


def labels(settings: InstallSettings, component: str = "") -> dict[str, str]:
    """What every object of a component has."""
    return {**selector_labels(settings, component), "app.kubernetes.io/version": __version__, MANAGED_BY: "berth"}


def namespace_labels(settings: InstallSettings) -> dict[str, str]:
    """What a namespace has that Berth made. No version: other installations may live there, too."""
    return {**selector_labels(settings), MANAGED_BY: "berth"}
