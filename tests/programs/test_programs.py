"""A program is one file: the command line, manifests and roles know of it what that file says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from berth import programs
from berth.cli.main import cli
from berth.manifests.install import install_manifests
from berth.programs.controller import WORKLOAD
from berth.settings.install import InstallSettings
from tests.cli.command import berth, environment

AGENT = '''
"""A program that stops when its work is done."""

from dataclasses import dataclass

from berth.kube.permissions import Permission
from berth.manifests.workload import Workload
from berth.programs.process.program import Program
from berth.settings.process import LOG_LEVEL
from berth.settings.values import Setting, SettingSource, text

GREETING = Setting("greeting", "BERTH_GREETING", "hello", text, "What to say.")


@dataclass
class Settings:
    greeting: str
    listen: None = None
    stop_deadline: float = 1.0
    log_format: str = "json"
    log_level: str = "info"


class Work:
    problem = ""

    def __init__(self, settings, registry):
        self._greeting = settings.greeting

    async def start(self, tasks):
        async def greet():
            print(self._greeting)

        tasks.start("greeting", greet())

    async def aclose(self):
        print("closed")


PROGRAM = Program(
    purpose="Greet.",
    settings=(GREETING, LOG_LEVEL),
    load=lambda environ, flags: Settings(SettingSource(environ, flags).read(GREETING)),
    build=Work,
    workload=Workload(
        arguments=("run", "agent"),
        permissions=(Permission("", "nodes", ("get",)),),
        environment=lambda settings: [{"name": "BERTH_GREETING", "value": settings.name}],
        component="agent",
    ),
)
'''


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """One more file beside the controller's."""
    (tmp_path / "agent.py").write_text(AGENT)
    monkeypatch.setattr(programs, "__path__", [*programs.__path__, str(tmp_path)])
    yield "agent"
    sys.modules.pop("berth.programs.agent", None)


def test_the_controller_is_run_by_its_name_and_without() -> None:
    unnamed, named = berth("run", "--help"), berth("run", "controller", "--help")
    assert (unnamed.returncode, named.returncode) == (0, 0)
    assert named.stdout == unnamed.stdout.replace("Usage: berth run ", "Usage: berth run controller ")
    assert "--provisioner-name" in named.stdout


@pytest.mark.parametrize("name", ["", "controller"])
def test_its_settings_are_read_either_way(name: str) -> None:
    answer = berth("run", *filter(None, [name]), "--claim-workers", "none")
    assert answer.returncode != 0
    assert answer.stderr.startswith("berth: --claim-workers: ")


def test_what_is_no_program_is_refused() -> None:
    answer = berth("run", "controllr")
    assert answer.returncode != 0
    assert "controllr" in answer.stderr


def test_another_file_is_another_program(agent: str) -> None:
    assert programs.program_names() == ["agent", "controller"]
    assert [name for name in programs.program_names() if not programs.program(name).purpose] == []
    help_text = CliRunner().invoke(cli, ["run", agent, "--help"]).output
    assert "Greet." in help_text
    assert "--greeting" in help_text
    assert "--provisioner-name" not in help_text


def test_its_work_is_started_and_closed_and_its_end_is_a_failure(agent: str) -> None:
    more = f"from berth import programs; programs.__path__ = {programs.__path__}"
    code = f"{more}; from berth.cli.main import main; main()"
    argv = [sys.executable, "-c", code, "run", agent, "--greeting", "good morning"]
    answer = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=environment({}))
    assert answer.stdout.splitlines() == ["good morning", "closed"]
    # Its only task ended by itself, while nobody told the process to stop.
    assert json.loads(answer.stderr)["why"] == "task 'greeting' ended, but should have run for ever"
    assert answer.returncode == 2


def test_manifests_give_each_program_its_own_objects(agent: str) -> None:
    settings = InstallSettings(server="10.0.0.5", export="/srv", classes=(), service_monitor=True)
    alone = install_manifests(settings, WORKLOAD)
    both = install_manifests(settings, WORKLOAD, programs.program(agent).workload)
    assert both[: len(alone)] == alone
    added = {one["kind"]: one for one in both[len(alone) :]}
    assert set(added) == {one["kind"] for one in alone} - {"Namespace"}
    assert len({(one["kind"], one["metadata"]["name"]) for one in both}) == len(both)
    assert added["ClusterRole"]["rules"] == [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}]
    pod = added["Deployment"]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert container["args"] == ["run", "agent"]
    assert container["env"][0] == {"name": "BERTH_GREETING", "value": "berth"}
    assert {"POD_NAME", "BERTH_LISTEN"} < {one["name"] for one in container["env"]}
    assert pod["spec"]["serviceAccountName"] == added["ServiceAccount"]["metadata"]["name"] == "berth-agent"


def test_no_program_answers_for_anothers_pods(agent: str) -> None:
    settings = InstallSettings(classes=())
    both = install_manifests(settings, WORKLOAD, programs.program(agent).workload)
    deployments = [one["spec"] for one in both if one["kind"] == "Deployment"]
    for spec in deployments:
        chosen = [
            other
            for other in deployments
            if spec["selector"]["matchLabels"].items() <= other["template"]["metadata"]["labels"].items()
        ]
        assert chosen == [spec]
