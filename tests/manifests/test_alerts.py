"""The alerts: Prometheus takes them, they fire when they should, they name metrics that there are, in two languages."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from berth.manifests.monitoring import prometheus_rule
from berth.metrics.displaced import DisplacedMetrics
from berth.metrics.machinery import MachineryMetrics
from berth.metrics.stuck import StuckMetrics
from berth.metrics.volumes import VolumeMetrics
from berth.programs.controller import WORKLOAD
from berth.settings.install import InstallSettings
from devcluster.errors import ProgramMissing

HAN = re.compile(r"[\u4e00-\u9fff]")
OWN = 'namespace="berth-system",job="berth-metrics"'
SPEC = prometheus_rule(InstallSettings(), WORKLOAD)["spec"]
RULES: list[dict[str, Any]] = SPEC["groups"][0]["rules"]


def promtool(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(["promtool", *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError as error:
        raise ProgramMissing("there is no promtool here; `make setup` gets it") from error
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def series(metric: str, values: str, **labels: str) -> dict[str, str]:
    said = "".join(f',{key}="{value}"' for key, value in labels.items())
    return {"series": f"{metric}{{{OWN}{said}}}", "values": values}


SHARE = "10.0.0.5:/srv/nfs/k8s"
BAD = {
    "BerthDown": [series("up", "1 0x600")],
    "BerthWithoutLeader": [series("leader_election_master_status", "0x600", name="nfs.berth.io", pod="a")],
    "BerthClaimsFail": [
        series("controller_persistentvolumeclaim_provision_failed_total", "0+1x600", **{"class": "nfs"})
    ],
    "BerthShareFails": [series("berth_share_errors_total", "0+1x600", share=SHARE, operation="make", stage="mount")],
    "BerthShareDoubtful": [series("berth_share_doubtful", "1x600", share=SHARE)],
    "BerthShareContested": [series("berth_share_contested", "1x600", share=SHARE)],
    "BerthVolumesDisplaced": [series("berth_displaced_volumes", "2x600", share=SHARE, state="gone")],
    "BerthTrashStuck": [series("berth_trash_stuck", "1x600", share=SHARE)],
    "BerthReleasedStuck": [series("berth_released_stuck", "1x600", **{"class": "nfs"})],
    "BerthVolumesOrphaned": [series("berth_orphaned_volumes", "3x600", share=SHARE)],
    "BerthForbidden": [series("rest_client_requests_total", "0+1x600", code="403", method="PATCH", resource="pvs")],
}
"""What makes each of them fire."""
WELL = [
    series("up", "1x600", pod="a"),
    series("leader_election_master_status", "1x600", name="nfs.berth.io", pod="a"),
    series("leader_election_master_status", "0x600", name="nfs.berth.io", pod="b"),
    series("controller_persistentvolumeclaim_provision_failed_total", "3x600", **{"class": "nfs"}),
    series("berth_share_errors_total", "9x600", share=SHARE, operation="make", stage="mount"),
    series("berth_share_doubtful", "0x600", share=SHARE),
    series("berth_displaced_volumes", "0x600", share=SHARE, state="gone"),
    series("rest_client_requests_total", "0+9x600", code="200", method="GET", resource="pvs"),
]


@pytest.mark.slow
def test_prometheus_takes_them_and_each_fires_when_it_should_and_else_none(tmp_path: Path) -> None:
    assert set(BAD) == {rule["alert"] for rule in RULES}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(SPEC))
    assert f"SUCCESS: {len(RULES)} rules found" in promtool(tmp_path, "check", "rules", "rules.yaml")
    tests = [case(name, made, [name]) for name, made in BAD.items()]
    tests.append(case("well", WELL, []))
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": tests}))
    promtool(tmp_path, "test", "rules", "tests.yaml")


def case(name: str, made: list[dict[str, str]], fires: list[str]) -> dict[str, Any]:
    """After eight hours only these fire; that of no pods aside, where the case is about something else."""
    known = [*made, *([] if name in ("BerthDown", "well") else [series("up", "1x600")])]
    checks = [
        {"expr": f'count(ALERTS{{alertname="{rule["alert"]}",alertstate="firing"}}) or vector(0)', "eval_time": "8h",
         "exp_samples": [{"labels": "{}", "value": int(rule["alert"] in fires)}]}
        for rule in RULES
    ]  # fmt: skip
    return {"name": name, "interval": "1m", "input_series": known, "promql_expr_test": checks}


def test_every_metric_is_one_that_berth_has() -> None:
    registry = CollectorRegistry()
    for metrics in (MachineryMetrics, VolumeMetrics, StuckMetrics, DisplacedMetrics):
        metrics(registry)
    known = {"up", *(name for metric in registry.collect() for name in (metric.name, f"{metric.name}_total"))}
    for rule in RULES:
        (name,) = re.findall(r"\b([a-z_]+)\{", rule["expr"])
        assert name in known, rule["alert"]
        assert f"{{{OWN}" in rule["expr"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_says_in_both_languages_what_is_so_and_what_to_do(rule: dict[str, Any]) -> None:
    said = rule["annotations"]
    assert set(said) == {"summary", "description", "summary_zh", "description_zh"}
    for key, text in said.items():
        assert bool(HAN.search(text)) is key.endswith("_zh"), text
        by_label = set(re.findall(r"\$labels\.(\w+)", text))
        assert by_label <= set(re.findall(r"\w+", rule["expr"].partition("(")[2].partition(")")[0])) | {
            "class",
            "share",
        }
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
