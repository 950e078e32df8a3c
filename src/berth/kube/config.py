"""How to reach the API server: an explicit file, $KUBECONFIG, the pod's service account, or ~/.kube/config, in this order."""

from __future__ import annotations

from lightkube.config.kubeconfig import SingleConfig


def load(path: str = "", *, context: str = "") -> SingleConfig:
    """The configuration to build an Api from. ConfigurationError says in one sentence what is missing or broken, and where."""
    raise NotImplementedError
