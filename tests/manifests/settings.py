"""Installations of every kind, to try each check on."""

from __future__ import annotations

from berth.settings.install import ClassSettings, InstallSettings

SETTINGS = {
    "the default": InstallSettings(server="10.0.0.5", export="/srv/nfs/k8s"),
    "everything": InstallSettings(
        server="nfs.example.com",
        export="/srv/nfs/k8s",
        name="gold",
        namespace="storage",
        provisioners=("gold.example/nfs", "cluster.local/nfs-client-nfs-client-provisioner"),
        classes=(
            ClassSettings(
                name="gold", provisioner="gold.example/nfs", default=True, mount_options=("nfsvers=4.1", "hard")
            ),
            ClassSettings(
                name="by-team",
                provisioner="gold.example/nfs",
                parameters={"pathPattern": "${.PVC.namespace}/${.PVC.name}", "onDelete": "retain", "uid": "1000"},
                reclaim_policy="Retain",
                allow_expansion=False,
                binding_mode="WaitForFirstConsumer",
                annotations={"storageclass.kubesphere.io/allow-clone": "true"},
            ),
        ),
        image="registry.example.com/berth:1",
        pull_policy="Always",
        pull_secrets=("registry",),
        replicas=3,
        reserved_port="sysctl",
        service_monitor=True,
        prometheus_rule=True,
        provisioner_capability=True,
    ),
    "mounted": InstallSettings(server="fd00::5", export="/", mount=True, replicas=1, leader_election=False),
    "mounted with options": InstallSettings(server="nfs", export="/k8s", mount=True, mount_options=("nfsvers=4.2",)),
    "no class and no share": InstallSettings(classes=(), reserved_port="none"),
}
