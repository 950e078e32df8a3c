"""Where Berth is published: one file, of which the installed program has a copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import berth
from berth import __version__
from berth.settings.home import Home, WrongHome, read_home
from deploy.generated import HERE

PLACES = """\
registry = "registry.example.com/storage"
charts = "oci://registry.example.com/charts"
downloads = "https://downloads.example.com/berth"
sources = "https://git.example.com/berth"
"""


def test_the_installed_copy_is_the_one_that_is_edited() -> None:
    installed = Path(berth.__file__).parent / "settings" / "home.toml"
    assert installed.read_text() == (HERE / "home.toml").read_text(), "run `python3 -m deploy`"


def test_a_registry_stands_in_front_of_the_image() -> None:
    assert Home().image == f"berth:{__version__}"
    assert read_home(PLACES).image == f"registry.example.com/storage/berth:{__version__}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('regsitry = "a.example"', "home.toml knows no regsitry; it knows registry, charts, downloads, sources"),
        ('registry = "storage"', "registry is 'storage'"),
        ('registry = "https://registry.example.com"', "registry is 'https://registry.example.com'"),
        ('registry = "registry.example.com/"', "registry is 'registry.example.com/'"),
        ('charts = "registry.example.com/charts"', "charts is"),
        ('downloads = "http://downloads.example.com"', "downloads is"),
        ("sources = 1", "sources is 1"),
    ],
)
def test_what_is_no_place_is_named(text: str, said: str) -> None:
    with pytest.raises(WrongHome, match=said.replace(".", r"\.")):
        read_home(text)


@pytest.mark.parametrize("registry", ["registry.example.com", "localhost:5000", "10.0.0.5:5000/a/b-c"])
def test_registries_that_nodes_can_ask(registry: str) -> None:
    assert read_home(f'registry = "{registry}"').registry == registry


@pytest.mark.parametrize("places", ["", PLACES])
def test_with_a_registry_nobody_is_told_how_to_get_the_image(tmp_path: Path, places: str) -> None:
    """The program as it is built from a file with places in it."""
    shutil.copytree(Path(berth.__file__).parent, tmp_path / "berth", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "berth" / "settings" / "home.toml").write_text(places)
    argv = [sys.executable, "-c", "from berth.cli.main import main; main()", "install", "--server=a", "--path=/b"]
    told = subprocess.run(
        [*argv, "--kubernetes-version=1.30"],
        env={"PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip
    deployment = next(one for one in yaml.safe_load_all(told) if one["kind"] == "Deployment")
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == (read_home(places).image)
    assert ("berth image push" in told) is (places == "")
