"""The chart's archive: Helm installs from it what it installs from the folder, and its bytes never change."""

from __future__ import annotations

import tarfile
from pathlib import Path

import helm_python as helm
import pytest

from berth import __version__
from devcluster.errors import DevClusterError
from release import chart
from tests.deploy.charts import CHART

VALUES = {"nfs": {"server": "nfs.example.com", "path": "/srv"}}


def test_helm_reads_from_it_what_lies_in_the_folder(tmp_path: Path) -> None:
    archive = tmp_path / "berth.tgz"
    chart.make(archive)
    with helm.Chart.load(archive) as packed, helm.Chart.load(CHART) as folder:
        metadata = packed.metadata
        assert (metadata["name"], metadata["version"], metadata["appVersion"]) == ("berth", __version__, __version__)
        assert packed.render(VALUES, name="b", namespace="n") == folder.render(VALUES, name="b", namespace="n")


def test_the_same_chart_gives_the_same_bytes_and_says_nothing_of_who_made_it(tmp_path: Path) -> None:
    for name in ("first", "second"):
        chart.make(tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    with tarfile.open(tmp_path / "first") as archive:
        assert {(one.uid, one.gid, one.uname, one.mtime) for one in archive} == {(0, 0, "", 315532800)}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second"]


def test_a_chart_of_another_version_is_no_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart, "version", lambda: "0.1.1")
    with pytest.raises(DevClusterError, match=r"another version than 0\.1\.1"):
        chart.make(tmp_path / "berth.tgz")
