"""What `ksbuilder` asks of an extension of KubeSphere, as its source has it: `validate` and `publish` by
pkg/api/metadata.go, `lint` by pkg/extension/lint.go (kubesphere/ksbuilder at 4d0a4180).
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import helm_python as helm
import pytest
import yaml

from berth import __version__
from berth.settings.home import HOME
from deploy.generated import HERE
from tests.deploy.charts import render
from tests.deploy.test_places import EXTENSION

CATEGORIES = {
    "ai-machine-learning", "computing", "database", "dev-tools", "integration-delivery", "observability", "networking",
    "security", "storage", "streaming-messaging", "other",
}  # fmt: skip
"""pkg/extension/type.go."""
SAID: dict[str, Any] = yaml.safe_load((EXTENSION / "extension.yaml").read_text())


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The directory that ksbuilder is given, with the Chart.yaml that it makes (ToChartYaml)."""
    made = tmp_path / "berth-extension"
    shutil.copytree(EXTENSION, made)  # links are followed, as the docs have it
    same = {key: SAID[key] for key in ("name", "version", "keywords", "kubeVersion", "dependencies", "maintainers")}
    chart = {"apiVersion": "v2", **same, "description": SAID["description"]["en"], "icon": "data:image/svg+xml,"}
    (made / "Chart.yaml").write_text(yaml.safe_dump(chart))
    # Its release is neither installed nor upgraded, which Helm's is always.
    names = made / "charts" / "berth" / "templates" / "_names.tpl"
    text, found = re.subn(r"\.Release\.Is(Install|Upgrade)", ".Release.Unsaid", names.read_text())
    assert found == 2
    names.write_text(text)
    return made


def lint(package: Path, **values: Any) -> list[dict[str, Any]]:
    """The objects, as getTemplateFile renders them: with the defaults, and a release that nobody installs."""
    with helm.Chart.load(package) as chart:
        rendered = chart.render(values, name="undefined", namespace="undefined")
    texts = [text for path, text in rendered.items() if path.endswith((".yaml", ".yml"))]
    # It cuts at every `---`, wherever one stands, and expects an object in each piece.
    pieces = [yaml.safe_load(piece) for text in texts for piece in text.split("---")]
    assert all(piece is None or isinstance(piece, dict) for piece in pieces)
    return [piece for piece in pieces if piece]


def deployment(objects: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = [each for each in objects if each["kind"] == "Deployment"]
    assert not {"StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod"} & {each["kind"] for each in objects}
    spec: dict[str, Any] = found["spec"]["template"]["spec"]
    return spec


def test_what_is_required_is_said() -> None:
    required = ("apiVersion", "name", "version", "displayName", "description", "category", "provider", "icon")
    assert [key for key in required if not SAID.get(key)] == []
    assert SAID["version"] == __version__
    assert SAID["category"] in CATEGORIES
    assert re.fullmatch("[a-z0-9]{1,32}", SAID["name"])


def test_languages_are_those_that_iso_639_knows() -> None:
    for key in ("displayName", "description", "provider"):
        assert set(SAID[key]) == {"en", "zh"}


def test_it_knows_no_other_fields() -> None:
    known = {
        "apiVersion", "name", "version", "displayName", "description", "category", "keywords", "home", "docs",
        "sources", "kubeVersion", "ksVersion", "maintainers", "provider", "staticFileDirectory", "icon", "screenshots",
        "dependencies", "installationMode", "namespace", "images", "externalDependencies", "annotations",
    }  # fmt: skip
    assert set(SAID) <= known
    assert SAID["installationMode"] in ("HostOnly", "Multicluster")


def test_icon_and_screenshots_are_files_below_the_static_directory() -> None:
    static = EXTENSION / SAID["staticFileDirectory"]
    for path in (SAID["icon"], *SAID["screenshots"]):
        file = (EXTENSION / path).resolve()
        assert file.is_relative_to(static.resolve())
        assert file.read_text().lstrip().startswith("<svg")


def test_dependencies_are_charts_with_a_tag_that_says_where_they_run() -> None:
    for dependency in SAID["dependencies"]:
        assert (EXTENSION / "charts" / dependency["name"] / "Chart.yaml").is_file()
        assert set(dependency["tags"]) <= {"extension", "agent"}
    assert (EXTENSION / "README.md").is_file()
    assert (EXTENSION / "README_zh.md").is_file()


def test_helm_lints_it(package: Path) -> None:
    assert helm.lint(package)["errors"] == []
    assert helm.lint(package / "charts" / "berth")["errors"] == []


def test_each_image_that_is_listed_is_used(package: Path) -> None:
    assert SAID["images"] == [HOME.image]
    (container,) = deployment(lint(package))["containers"]
    assert container["image"] == HOME.image


def test_a_registry_for_all_images_stands_in_front_of_each(package: Path) -> None:
    spec = deployment(lint(package, **{"global": {"imageRegistry": "key123456789"}}))
    assert [each["image"] for each in spec["containers"]] == [f"key123456789/{HOME.image}"]
    assert "initContainers" not in spec


def test_nodes_for_all_pods_are_asked_for(package: Path) -> None:
    spec = deployment(lint(package, **{"global": {"nodeSelector": {"kubernetes.io/os": "key123456789"}}}))
    assert spec["nodeSelector"]["kubernetes.io/os"] == "key123456789"


def test_who_installs_it_without_a_server_is_told() -> None:
    with pytest.raises(helm.HelmError, match=r"nfs\.server is not set"):
        render({}, release="berth", namespace="extension-berth")


def test_its_permissions_let_it_look_for_the_image() -> None:
    role, _ = yaml.safe_load_all((HERE / "kubesphere" / "berth" / "permissions.yaml").read_text())
    assert {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]} in role["rules"]
