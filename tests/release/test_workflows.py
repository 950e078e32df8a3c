"""The workflows: by the schema that GitHub's are held by, and what no schema knows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.generated import HERE

FOLDER = HERE.parent / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))


@pytest.fixture(params=FILES, ids=lambda path: path.name)
def workflow(request: pytest.FixtureRequest) -> dict[str, Any]:
    # YAML 1.1 takes `on` for true.
    read: dict[Any, Any] = yaml.safe_load(request.param.read_text())
    return {"on" if key is True else key: value for key, value in read.items()}


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_changes_and_tags_have_one() -> None:
    assert {path.name for path in FILES} >= {"ci.yml", "release.yml"}


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_they_keep_to_the_schema(schema: str) -> None:
    argv = [str(Path(sys.executable).with_name("check-jsonschema")), f"--builtin-schema={schema}", *map(str, FILES)]
    checked = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stdout


def test_actions_of_others_are_pinned_by_commit_and_say_their_version() -> None:
    uses = [line for path in FILES for line in path.read_text().splitlines() if "uses:" in line]
    assert len(uses) > 5
    for line in uses:
        assert re.fullmatch(r" +(?:- )?uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_no_expression_stands_in_a_script(workflow: dict[str, Any]) -> None:
    """What it says would be run: scripts get values by their environment."""
    assert not [step["run"] for step in steps(workflow) if "${{" in step.get("run", "")]


def test_nobody_may_more_than_read_unless_a_job_says_so(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    for step in steps(workflow):
        if "actions/checkout" in step.get("uses", ""):
            assert step["with"] == {"persist-credentials": False}


def test_scripts_are_bash_and_end_at_the_first_failure(workflow: dict[str, Any]) -> None:
    """With `shell: bash` GitHub runs them by `bash --noprofile --norc -eo pipefail`."""
    assert workflow["defaults"] == {"run": {"shell": "bash"}}
    script = "\n".join(f"f{at}() {{\n{step['run']}\n}}" for at, step in enumerate(steps(workflow)) if "run" in step)
    subprocess.run(["bash", "-n"], input=script, text=True, timeout=30, check=True)


def test_what_is_published_hangs_on_home_and_on_the_tests() -> None:
    jobs = yaml.safe_load((FOLDER / "release.yml").read_text())["jobs"]
    ran = [step.get("run", "") for step in jobs["build"]["steps"]]
    assert ran.index(".ci/run") < ran.index("make release")
    assert [job["needs"] for job in jobs.values() if "needs" in job] == ["build", ["build", "sign"], ["build", "sign"]]
    for name, place in (("image", "registry"), ("downloads", "downloads")):
        assert f"needs.build.outputs.{place}" in jobs[name]["if"]


def test_they_name_no_registry() -> None:
    texts = "".join(path.read_text() for path in FILES)
    assert not re.search(r"(?:[a-z]+\.)?(?:docker\.io|ghcr\.io|quay\.io|gcr\.io|pypi\.org)", texts)
