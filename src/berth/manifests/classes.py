"""StorageClasses, with what KubeSphere's consoles read in them (docs/kubesphere.md)."""

from __future__ import annotations

from berth.kube.manifest import Manifest
from berth.manifests.labels import labels
from berth.settings.install import ClassSettings, InstallSettings
from berth.volumes.parameters import mountable_address, parse_parameters

DEFAULT_KEYS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
"""Kubernetes reads both, and so does KubeSphere's console, which writes both, too."""
CONSOLE = {
    # Berth makes neither clones nor snapshots yet: said, or KubeSphere 4 leaves its switches greyed without a reason.
    "storageclass.kubesphere.io/allow-clone": "false",
    "storageclass.kubesphere.io/allow-snapshot": "false",
    "storageclass.kubesphere.io/supported-access-modes": '["ReadWriteOnce","ReadOnlyMany","ReadWriteMany"]',
}


def storage_class(settings: InstallSettings, wanted: ClassSettings) -> Manifest:
    """One class. Refused where the controller would refuse its parameters or mount options."""
    parsed = parse_parameters(wanted.parameters, server=settings.server, export=settings.export)
    mountable_address(parsed.server, parsed.export, wanted.mount_options)
    annotations = dict(CONSOLE)
    if wanted.default:  # else nothing is said: a second run must not take back what was set by hand in the meantime
        annotations |= dict.fromkeys(DEFAULT_KEYS, "true")
    manifest: Manifest = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": wanted.name,
            "labels": labels(settings),
            "annotations": {**annotations, **wanted.annotations},
        },
        "provisioner": wanted.provisioner,
        "parameters": dict(wanted.parameters),
        "reclaimPolicy": wanted.reclaim_policy,
        "volumeBindingMode": wanted.binding_mode,
        "allowVolumeExpansion": wanted.allow_expansion,
    }
    if wanted.mount_options:
        manifest["mountOptions"] = list(wanted.mount_options)
    return manifest


def provisioner_capability(settings: InstallSettings, provisioner: str) -> Manifest:
    """What KubeSphere 3.0 and 3.1 go by to show what a class's volumes can do."""
    return {
        "apiVersion": "storage.kubesphere.io/v1alpha1",
        "kind": "ProvisionerCapability",
        "metadata": {"name": provisioner.replace(".", "-").replace("/", "-"), "labels": labels(settings)},
        "spec": {
            "pluginInfo": {"name": provisioner, "version": labels(settings)["app.kubernetes.io/version"]},
            "features": {
                "topology": False,
                "volume": {
                    "create": True,
                    "attach": False,
                    "list": False,
                    "clone": False,
                    "stats": True,
                    "expandMode": "ONLINE",
                },
                "snapshot": {"create": False, "list": False},
            },
        },
    }
