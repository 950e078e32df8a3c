"""Images of provisioners as clusters have them, and whether each needs metadata.selfLink."""

from __future__ import annotations

NEED_SELF_LINK = {
    "quay.io/external_storage/nfs-client-provisioner:latest": True,
    "quay.io/external_storage/nfs-client-provisioner:v3.1.0-k8s1.11": True,
    "quay.io/external_storage/nfs-client-provisioner": True,
    "registry.cn-hangzhou.aliyuncs.com/open-ali/nfs-client-provisioner": True,
    "registry:5000/kubesphere/nfs-client-provisioner:v3.1.0-k8s1.11": True,
    "registry.k8s.io/sig-storage/nfs-subdir-external-provisioner:v4.0.2": False,
    "kubesphereio/nfs-client-provisioner:v4.0.2": False,
    "gmoney23/nfs-client-provisioner:latest": False,
    "quay.io/external_storage/nfs-client-provisioner-arm:latest": True,
    "mirror.example/external_storage/nfs-client-provisioner@sha256:" + "0" * 64: True,
    "quay.io/external_storage/nfs-client-provisioner:v4.0.0": False,
    "quay.io/kubernetes_incubator/nfs-provisioner:v2.3.0": True,
    "mirror.example:5000/nfs-client-provisioner:3.1.0": True,
    "mirror.example/nfs-client-provisioner:v1": True,
    "mirror.example/nfs-client-provisioner-arm": True,
    "mirror.example/nfs-client-provisioner:latest@sha256:" + "0" * 64: True,
    "mirror.example/nfs-client-provisioner@sha256:" + "0" * 64: False,  # nobody can tell
    "mirror.example/nfs-client-provisioner:v30": False,
    "mirror.example/my-nfs-client-provisioner:v3.1.0": False,
    "berth:0.1.0": False,
    "": False,
}
