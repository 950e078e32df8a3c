"""What lies in deploy/ is what Berth's code says today."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import helm_python as helm
import pytest
import yaml
from prometheus_client import CollectorRegistry

from berth import __version__
from berth.manifests.install import install_manifests
from berth.metrics.machinery import MachineryMetrics
from berth.metrics.stuck import StuckMetrics
from berth.metrics.volumes import VolumeMetrics
from berth.programs.controller import WORKLOAD
from deploy.generated import EXAMPLE, HERE, generated
from devcluster import binaries
from tests.deploy.charts import CHART, render

EXTENSION = HERE / "kubesphere" / "berth"


@pytest.mark.parametrize("path", generated())
def test_generated_files_are_fresh(path: str) -> None:
    assert (HERE / path).read_text() == generated()[path], "run `python3 -m deploy`"


def kustomize(folder: str) -> list[dict[str, Any]]:
    """As kubectl's own kustomize builds it."""
    argv = [str(binaries.find().kubectl), "kustomize", str(HERE / "kustomize" / folder)]
    built = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    return [one for one in yaml.safe_load_all(built.stdout) if one]


def by_kind(manifests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in manifests}


def test_the_kustomize_base_is_what_install_prints() -> None:
    assert by_kind(kustomize("base")) == by_kind(install_manifests(EXAMPLE, WORKLOAD))


def test_the_example_overlay_changes_share_and_image_and_nothing_else() -> None:
    wanted = by_kind(install_manifests(EXAMPLE, WORKLOAD))
    (container,) = wanted["Deployment"]["spec"]["template"]["spec"]["containers"]
    container["image"] = f"registry.example.com/storage/berth:{__version__}"
    values = {"NFS_SERVER": "10.0.0.5", "NFS_PATH": "/srv/nfs/k8s"}
    for one in container["env"]:
        if one["name"] in values:
            one["value"] = values[one["name"]]
    built = by_kind(kustomize("example"))
    (made,) = built["Deployment"]["spec"]["template"]["spec"]["containers"]
    made["env"].sort(key=lambda one: one["name"])
    container["env"].sort(key=lambda one: one["name"])
    assert built == wanted


def test_every_metric_on_the_dashboard_is_one_that_berth_has() -> None:
    registry = CollectorRegistry()
    MachineryMetrics(registry)
    VolumeMetrics(registry)
    StuckMetrics(registry)
    known = {name for metric in registry.collect() for name in series_of(metric.name, metric.type)}
    board = json.loads((HERE / "grafana" / "berth.json").read_text())
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for expression in expressions:
        (name,) = re.findall(r"\b([a-z_]+)\{", expression)
        assert name in known, expression


def series_of(name: str, kind: str) -> list[str]:
    if kind == "counter":
        return [f"{name}_total"]
    return [f"{name}_bucket", f"{name}_count", f"{name}_sum"] if kind == "histogram" else [name]


def test_the_extension_is_packaged_as_the_docs_say_and_installs_the_chart(tmp_path: Path) -> None:
    """ksbuilder copies links as links, and theirs would point nowhere: the docs have them followed first."""
    command = "cp -rL deploy/kubesphere/berth berth-extension"
    for page in ("kubesphere.md", "kubesphere.zh-CN.md"):
        assert f"{command}\nksbuilder package berth-extension" in (HERE.parent / "docs" / page).read_text()
    package = tmp_path / "berth-extension"
    subprocess.run([*command.split()[:2], str(EXTENSION), str(package)], timeout=60, check=True)
    assert not [path for path in package.rglob("*") if path.is_symlink()]
    extension = yaml.safe_load((package / "extension.yaml").read_text())
    said = {key: extension[key] for key in ("name", "version", "kubeVersion", "dependencies")}
    (package / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", **said}))  # as ksbuilder makes it
    values = yaml.safe_load((package / "values.yaml").read_text())
    values["berth"]["nfs"] = {"server": "10.0.0.5", "path": "/srv"}
    values["global"] = {"imageRegistry": "registry.example.com", "clusterInfo": {"name": "member", "role": "member"}}
    for is_agent in (True, False):
        with helm.Chart.load(package) as chart:
            rendered = chart.render({**values, "tags": {"agent": is_agent, "extension": not is_agent}}, name="berth")
        texts = [text for path, text in rendered.items() if path.endswith(".yaml")]
        made = [one["kind"] for text in texts for one in yaml.safe_load_all(text) if one]
        assert ("Deployment" in made) is is_agent


def test_the_extensions_installer_may_do_what_the_chart_takes_and_what_berth_is_given() -> None:
    """RBAC lets nobody hand out what he does not have."""
    values = yaml.safe_load((EXTENSION / "values.yaml").read_text())["berth"]
    values["nfs"] = {"server": "10.0.0.5", "path": "/srv", "mountOptions": ["hard"], "mount": True}
    values["serviceMonitor"] = values["prometheusRule"] = values["grafanaDashboard"] = {"enabled": True}
    values["kubesphere"] = {"provisionerCapability": True}
    made = render(values, release="berth", namespace="extension-berth")
    given = {one["kind"]: one["rules"] for one in yaml.safe_load_all((EXTENSION / "permissions.yaml").read_text())}
    everywhere, here = given["ClusterRole"], given["ClusterRole"] + given["Role"]
    for one in made:
        group = one["apiVersion"].rpartition("/")[0]
        resource = plural(one["kind"])
        for verb in ("create", "get", "patch", "delete"):
            assert allows(here if "namespace" in one["metadata"] else everywhere, group, resource, verb), one["kind"]
        for rule in one.get("rules", []):
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for verb in rule["verbs"]:
                        rules = everywhere if one["kind"] == "ClusterRole" else here
                        assert allows(rules, group, resource, verb), (group, resource, verb)


def plural(kind: str) -> str:
    lowered = kind.lower()
    return f"{lowered[:-1]}ies" if lowered.endswith("y") else f"{lowered}es" if lowered.endswith("s") else f"{lowered}s"


def allows(rules: list[dict[str, Any]], group: str, resource: str, verb: str) -> bool:
    return any(
        group in rule["apiGroups"] and resource in rule["resources"] and (verb in rule["verbs"] or "*" in rule["verbs"])
        for rule in rules
    )


def test_the_addon_for_kubekey_sets_values_that_the_chart_knows() -> None:
    (addon,) = yaml.safe_load((HERE / "kubesphere" / "kubekey-addon.yaml").read_text())["addons"]
    chart = addon["sources"]["chart"]
    assert (Path(HERE).parent / chart["path"]).resolve() == CHART.resolve()
    values = helm.parse_set_string(",".join(chart["values"]))
    kinds = {one["kind"] for one in render(values, release=addon["name"], namespace=addon["namespace"])}
    assert {"Deployment", "StorageClass"} <= kinds
