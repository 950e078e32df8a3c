"""Berth: NFS storage for Kubernetes and KubeSphere.

The folders are layers (see docs/architecture.md): cli and programs on top, reconcilers in the middle, shares and kube
below them, volumes (the rules, standard library only) and settings, metrics, aio at the bottom.
"""

__version__ = "0.1.0"
