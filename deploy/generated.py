"""The files here that are made from Berth's own code, so that nothing is written twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from berth.manifests.install import install_manifests
from berth.manifests.monitoring import alerts_text
from berth.manifests.rbac import rules
from berth.manifests.yaml_text import to_yaml, with_image_notes
from berth.programs.controller import PERMISSIONS, WORKLOAD
from berth.settings.home import HOME
from berth.settings.install import InstallSettings
from deploy import places

HERE = Path(__file__).parent
SCREENSHOTS = ["doctor.en.light.svg", "doctor.zh.light.svg"]
"""Of docs/pictures, those that KubeSphere shows."""
PICTURES = HERE.parent / "docs" / "pictures"
EXAMPLE = InstallSettings(server="nfs.example.com", export="/srv/nfs/k8s")
_CHART, _KUSTOMIZE, _EXTENSION = "chart/berth", "kustomize/base", "kubesphere/berth"


def generated() -> dict[str, str]:
    """Every generated file, by its path in this folder."""
    manifests = install_manifests(EXAMPLE, WORKLOAD)
    head = (
        "# Made by `python3 -m deploy` from what `berth install` prints. Change it in an overlay, as in ../example.\n"
        "# For Kubernetes 1.21 and newer. On 1.20 the PodDisruptionBudget is one of policy/v1beta1: take there what\n"
        "# `berth install --kubernetes-version 1.20` prints.\n"
    )
    icon = (HERE / _EXTENSION / "static" / "icon.svg").read_bytes()
    return {
        "../src/berth/settings/home.toml": (HERE / "home.toml").read_text(),
        f"{_CHART}/Chart.yaml": places.chart(_now(f"{_CHART}/Chart.yaml"), HOME, icon),
        f"{_CHART}/values.yaml": places.values(_now(f"{_CHART}/values.yaml"), HOME),
        f"{_CHART}/templates/_home.tpl": places.template(HOME),
        f"{_EXTENSION}/extension.yaml": places.extension(_now(f"{_EXTENSION}/extension.yaml"), HOME, SCREENSHOTS),
        **{f"{_EXTENSION}/static/screenshots/{name}": (PICTURES / name).read_text() for name in SCREENSHOTS},
        f"{_CHART}/files/clusterrole-rules.yaml": _list(rules(PERMISSIONS, own_namespace=False)),
        f"{_CHART}/files/role-rules.yaml": _list(rules(PERMISSIONS, own_namespace=True)),
        f"{_CHART}/files/alerts.yaml": alerts_text(),
        f"{_CHART}/files/dashboard.json": (HERE / "grafana" / "berth.json").read_text(),
        f"{_KUSTOMIZE}/berth.yaml": head + with_image_notes(to_yaml(manifests)),
    }


def _now(path: str) -> str:
    """The file as it is: only what follows from elsewhere is written anew."""
    return (HERE / path).read_text()


def _list(items: list[dict[str, Any]]) -> str:
    """A list as it stands in a document of its own, without the `---`."""
    text = to_yaml([{"rules": items}]).removeprefix("---\nrules:\n")
    return "".join(line.removeprefix("  ") for line in text.splitlines(keepends=True))
