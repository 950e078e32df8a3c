"""What follows from deploy/home.toml in the chart and in KubeSphere's extension, with places in it and without."""

from __future__ import annotations

import base64
import shutil
import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import helm_python as helm
import pytest
import yaml

from berth import __version__
from berth.settings.home import HOME, Home
from deploy import places
from deploy.generated import HERE
from tests.deploy.charts import CHART

EXTENSION = HERE / "kubesphere" / "berth"
ICON = (EXTENSION / "static" / "icon.svg").read_bytes()
PLACES = Home(
    registry="registry.example.com/storage",
    charts="oci://registry.example.com/charts",
    downloads="https://downloads.example.com/berth",
    sources="https://git.example.com/berth",
)
SHARE = {"nfs": {"server": "10.0.0.5", "path": "/srv"}}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """The chart of a Berth that has a home."""
    made = tmp_path / "berth"
    shutil.copytree(CHART, made)
    (made / "Chart.yaml").write_text(places.chart((CHART / "Chart.yaml").read_text(), PLACES, ICON))
    (made / "values.yaml").write_text(places.values((CHART / "values.yaml").read_text(), PLACES))
    (made / "templates" / "_home.tpl").write_text(places.template(PLACES))
    return made


def image(chart: Path, **values: Any) -> str:
    with helm.Chart.load(chart) as loaded:
        text = loaded.render({**SHARE, **values}, name="berth", namespace="a")["berth/templates/deployment.yaml"]
    assert "berth image push" not in text
    return str(yaml.safe_load(text)["spec"]["template"]["spec"]["containers"][0]["image"])


def test_the_chart_takes_its_image_from_home_unless_told_otherwise(published: Path) -> None:
    assert image(published) == PLACES.image == f"registry.example.com/storage/berth:{__version__}"
    mirror = {"imageRegistry": "mirror.example.com"}
    assert image(published, **{"global": mirror}) == f"mirror.example.com/storage/berth:{__version__}"
    own = {"repository": "r.example.com/own/berth", "tag": "2"}
    assert image(published, image=own) == "r.example.com/own/berth:2"
    others = {"repository": "registry.k8s.io/sig-storage/nfs-subdir-external-provisioner", "tag": "v4.0.2"}
    assert image(published, image=others) == PLACES.image


@pytest.mark.parametrize("home", [Home(), PLACES], ids=["nowhere", "published"])
def test_the_chart_says_who_made_it_and_nothing_that_is_not_true(home: Home) -> None:
    text = (CHART / "Chart.yaml").read_text()
    said = yaml.safe_load(places.chart(text, home, ICON))
    assert said["version"] == said["appVersion"] == __version__
    assert said["kubeVersion"] == ">=1.20.0-0"
    assert (said.get("home"), said.get("sources")) == (home.downloads or None, [home.sources] if home.sources else None)
    (maintainer,) = said["maintainers"]
    assert maintainer == {"name": "Berth authors", **({"url": home.sources} if home.sources else {})}
    assert base64.b64decode(said["icon"].partition("base64,")[2]) == ICON
    assert ("artifacthub.io/images" in said["annotations"]) is bool(home.registry)
    assert "Apache License" in (HERE.parent / "LICENSE").read_text()
    assert said["annotations"]["artifacthub.io/license"] == "Apache-2.0"


def test_writing_them_again_changes_nothing() -> None:
    chart, values = ((CHART / name).read_text() for name in ("Chart.yaml", "values.yaml"))
    assert places.chart(places.chart(chart, HOME, ICON), HOME, ICON) == chart
    assert places.values(places.values(values, PLACES), HOME) == values
    extension = (EXTENSION / "extension.yaml").read_text()
    there = yaml.safe_load(places.extension(extension, PLACES, ["a.svg"]))
    assert (there["images"], there["screenshots"]) == ([PLACES.image], ["./static/screenshots/a.svg"])
    assert (there["home"], there["sources"]) == (PLACES.downloads, [PLACES.sources])


@pytest.mark.parametrize("values", [{}, SHARE], ids=["as it is", "with a share"])
def test_helm_has_nothing_to_say_of_the_chart(values: dict[str, Any], published: Path) -> None:
    for chart in (CHART, published):
        assert helm.lint(chart, values, strict=True)["messages"] == []


def test_the_icon_is_a_picture() -> None:
    assert xml.etree.ElementTree.fromstring(ICON).tag.endswith("svg")
