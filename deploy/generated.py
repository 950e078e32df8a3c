"""The files here that are made from Berth's own code, so that nothing is written twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from berth.manifests.install import install_manifests
from berth.manifests.rbac import rules
from berth.manifests.yaml_text import to_yaml, with_image_notes
from berth.programs.controller import PERMISSIONS, WORKLOAD
from berth.settings.install import InstallSettings

HERE = Path(__file__).parent
EXAMPLE = InstallSettings(server="nfs.example.com", export="/srv/nfs/k8s")
_CHART, _KUSTOMIZE = "chart/berth/files", "kustomize/base"


def generated() -> dict[str, str]:
    """Every generated file, by its path in this folder."""
    manifests = install_manifests(EXAMPLE, WORKLOAD)
    head = (
        "# Made by `python3 -m deploy` from what `berth install` prints. Change it in an overlay, as in ../example.\n"
        "# For Kubernetes 1.21 and newer. On 1.20 the PodDisruptionBudget is one of policy/v1beta1: take there what\n"
        "# `berth install --kubernetes-version 1.20` prints.\n"
    )
    return {
        "../src/berth/settings/home.toml": (HERE / "home.toml").read_text(),
        f"{_CHART}/clusterrole-rules.yaml": _list(rules(PERMISSIONS, own_namespace=False)),
        f"{_CHART}/role-rules.yaml": _list(rules(PERMISSIONS, own_namespace=True)),
        f"{_CHART}/dashboard.json": (HERE / "grafana" / "berth.json").read_text(),
        f"{_KUSTOMIZE}/berth.yaml": head + with_image_notes(to_yaml(manifests)),
    }


def _list(items: list[dict[str, Any]]) -> str:
    """A list as it stands in a document of its own, without the `---`."""
    text = to_yaml([{"rules": items}]).removeprefix("---\nrules:\n")
    return "".join(line.removeprefix("  ") for line in text.splitlines(keepends=True))
