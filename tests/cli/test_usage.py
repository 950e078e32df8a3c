"""Help and version; a wrong command line, setting or kubeconfig gets one sentence that names it; exit codes."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from berth import __version__
from berth.cli.ending import (
    EXIT_BLIND,
    EXIT_CODES,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    EXIT_WARNINGS,
    EXIT_WELL,
    run,
)
from berth.cli.main import cli
from berth.kube.errors import ConfigurationError, Forbidden, Unreachable
from berth.nfsserver.errors import RequestRefused, UnreadableExports
from berth.operations.errors import Stopped
from berth.settings.controller import SETTINGS
from berth.texts.text import Text
from berth.volumes.errors import Refused
from tests.cli.command import berth

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = {"server": "https://127.0.0.1:1"}
GOOD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "c", "cluster": CLUSTER}],
    "users": [{"name": "u", "user": {"token": "t"}}],
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "x",
}


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """One that can be read; nobody answers at its address."""
    path = tmp_path / "config"
    path.write_text(json.dumps(GOOD))
    return path


def complaint(*arguments: str, code: int, **settings: str) -> str:
    """What berth says against this, after checking its exit code, and that it is one sentence on stderr alone."""
    answer = berth(*arguments, **settings)
    assert answer.returncode == code, answer
    return sentence(answer.stdout, answer.stderr)


def sentence(stdout: str, stderr: str) -> str:
    assert stdout == ""
    (line,) = stderr.splitlines()
    assert line.startswith("berth: ")
    return line.removeprefix("berth: ")


def here(*arguments: str, **settings: str) -> Result:
    """The command within this process: quick, and good enough for what ends before anything runs."""
    nothing = dict.fromkeys([setting.variable for setting in SETTINGS])
    return CliRunner().invoke(cli, arguments, env={**nothing, **settings})


def test_the_program_is_installed_and_tells_its_version() -> None:
    answer = berth("--version")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, f"berth {__version__}\n", "")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_the_commands(flag: str) -> None:
    answer = here(flag)
    assert answer.exit_code == 0
    assert "run  " in answer.stdout
    assert answer.stderr == ""


def test_help_of_run_tells_every_setting_with_variable_and_default() -> None:
    answer = here("run", "--help")
    assert answer.exit_code == 0
    told = " ".join(answer.stdout.split())
    for setting in SETTINGS:
        assert f"--{setting.flag} " in told
        assert f"[env: {setting.variable}]" in told
        if setting.default_text:
            assert f"[default: {setting.default_text}]" in told
    assert all(len(line) <= 100 for line in answer.stdout.splitlines())


def test_no_command_shows_help() -> None:
    answer = here()
    assert "Usage: " in answer.output
    assert "run  " in answer.output


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        pytest.param(["sail"], "sail", id="command"),
        pytest.param(["run", "--colour", "blue"], "--colour", id="flag"),
        pytest.param(["run", "now"], "now", id="argument"),
        pytest.param(["run", "--listen"], "--listen", id="flag without a value"),
    ],
)
def test_what_is_not_known_is_named(arguments: list[str], named: str) -> None:
    answer = here(*arguments)
    assert answer.exit_code == 64
    assert named in answer.stderr


def test_a_wrong_setting_ends_the_process_with_one_sentence() -> None:
    assert complaint("run", code=64, PROVISIONER_NAME="not a name").startswith("PROVISIONER_NAME: 'not a name' is not")


@pytest.mark.parametrize(
    ("arguments", "settings", "expected"),
    [
        ([], {"NFS_SERVER": "nfs.example"}, "NFS_PATH: is not set although NFS_SERVER is"),
        ([], {"NFS_PATH": "/srv"}, "NFS_SERVER: is not set although NFS_PATH is"),
        ([], {"ENABLE_LEADER_ELECTION": "maybe"}, "ENABLE_LEADER_ELECTION: expected"),
        ([], {"POD_NAMESPACE": "No/Namespace"}, "POD_NAMESPACE: 'No/Namespace' is not"),
        (["--listen", "nowhere"], {}, "--listen: expected host:port"),
        (["--listen", "nowhere"], {"BERTH_LISTEN": "127.0.0.1:0"}, "--listen: expected host:port"),
        (["--claim-workers", "0"], {}, "--claim-workers: expected a whole number"),
        (["--share-timeout", "1 hour"], {}, "--share-timeout: expected a duration"),
        (["--provisioner-name", ""], {"PROVISIONER_NAME": "fine"}, "--provisioner-name: is empty"),
        (["--lease-duration", "5s"], {}, "--lease-duration: must be longer"),
        (["--share-timeout", "15s"], {}, "--share-timeout: must be shorter than --lease-duration"),
        (["--log-format", "xml"], {}, "--log-format: expected one of"),
    ],
)
def test_a_wrong_setting_is_named(arguments: list[str], settings: dict[str, str], expected: str) -> None:
    answer = here("run", *arguments, **settings)
    assert answer.exit_code == 64
    assert sentence(answer.stdout, answer.stderr).startswith(expected)


def broken(**changes: Any) -> str:
    return json.dumps({**GOOD, **changes})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(None, "does not exist", id="no file"),
        pytest.param("{not yaml", "is not YAML", id="no YAML"),
        pytest.param("", "is not a kubeconfig", id="empty"),
        pytest.param(broken(**{"current-context": ""}), "no current context is set", id="no context"),
        pytest.param(
            broken(clusters=[{"name": "c", "cluster": {**CLUSTER, "certificate-authority": "/no/such/ca"}}]),
            "(/no/such/ca) can't be used",
            id="no authority",
        ),
        pytest.param(
            broken(clusters=[{"name": "c", "cluster": {"server": "127.0.0.1"}}]), "127.0.0.1", id="server is no URL"
        ),
    ],
)
def test_a_broken_kubeconfig_is_named(tmp_path: Path, content: str | None, says: str) -> None:
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content)
    assert says in complaint("run", code=3, KUBECONFIG=str(path))


def test_no_kubeconfig_at_all_says_where_it_looked() -> None:
    said = complaint("run", code=3)
    assert "KUBECONFIG is not set" in said
    assert "~/.kube/config" in said


@pytest.mark.parametrize(
    "words",
    [
        ["install", "--server=10.0.0.5", "--path=/srv", "--apply"],
        ["uninstall", "--dry-run"],
        ["class", "default", "nfs"],
        ["takeover", "plan"],
        ["takeover", "apply", "--yes"],
        ["takeover", "revert", "--yes"],
        ["volume", "static", "--server=10.0.0.5", "--path=/srv", "--claim=shop/data", "--size=1Gi", "--apply"],
        ["volume", "restore", "pvc-1", "--dry-run"],
        ["volume", "end", "pvc-1", "retain", "--dry-run"],
    ],
    ids=" ".join,
)
def test_a_cluster_that_does_not_answer_is_given_up_at_once(words: list[str], kubeconfig: Path) -> None:
    answer = berth(*words, KUBECONFIG=str(kubeconfig))
    assert (answer.returncode, answer.stdout) == (3, "")
    assert "https://127.0.0.1:1 is unreachable" in answer.stderr.splitlines()[0]


def test_a_taken_port_is_named(kubeconfig: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        said = complaint("run", "--listen", f"127.0.0.1:{port}", code=2, KUBECONFIG=str(kubeconfig))
    assert said == f"can't listen on 127.0.0.1:{port}: Address already in use"


def test_the_secret_in_a_kubeconfig_is_not_told(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(broken(users=[{"name": "u", "user": {"token": "s3cr3t", "exec": "nonsense"}}], contexts=[]))
    assert "s3cr3t" not in complaint("run", code=3, KUBECONFIG=str(path))


def test_exit_codes_are_stated_once() -> None:
    assert EXIT_CODES in " ".join(here("--help").stdout.split())
    for told in (EXIT_WELL, EXIT_WARNINGS, EXIT_FAILED, EXIT_BLIND, EXIT_USAGE, EXIT_INTERRUPTED):
        assert f" {told} " in EXIT_CODES
        for document in ("docs/exit-codes.md", "docs/exit-codes.zh-CN.md"):
            assert f"\n| {told} | " in (ROOT / document).read_text()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130),
        (ConfigurationError("none"), 3),
        (Unreachable("GET pods", "https://10.0.0.1", "refused"), 3),
        (Forbidden("GET pods", 403, "", "no"), 2),
        (Stopped(Text("no", "否")), 2),
        (Refused("uid", "is no number"), 64),
        (UnreadableExports("/etc/exports", Text("no", "否")), 3),
        (RequestRefused("client", Text("no", "否")), 64),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_kind_of_error_has_its_code(error: BaseException, code: int) -> None:
    async def job() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        run(job(), "en")
    assert ended.value.code == code


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--claim-workers", "0"], "--claim-workers：应为 1 到 256 的整数，给出的是 '0'"),
        (["install", "--server=a", "--path=b"], "--path：'b' 不是绝对路径"),
        (["install", "--server=a", "--path=/b", "--replicas=0"], "--replicas：0 不在 1 到 10 之间"),
        (["install"], "缺少 --server"),
        (["sail"], "`berth` 没有命令 'sail'"),
        (["run", "--colour", "x"], "没有选项 --colour"),
        (["doctor", "--kubeconfig", "/nowhere"], "不知道如何连接集群：kubeconfig 文件 /nowhere 不存在"),
        (["server", "export", "add", "/x", "y"], "多余的参数：y"),
    ],
    ids=" ".join,
)
def test_a_mistake_is_told_in_the_readers_language(arguments: list[str], says: str) -> None:
    for answer in (here(*arguments, "--lang", "zh"), here(*arguments, LC_ALL="zh_CN.UTF-8")):
        assert (answer.stdout, len(answer.stderr.splitlines())) == ("", 1)
        assert answer.stderr.startswith("berth: ")
        assert says in answer.stderr


def test_an_unreachable_cluster_is_told_in_the_readers_language(kubeconfig: Path) -> None:
    answer = berth("takeover", "plan", KUBECONFIG=str(kubeconfig), LC_ALL="zh_CN.UTF-8")
    assert answer.stderr == "berth: 无法访问 API 服务器 https://127.0.0.1:1：连接被拒绝（请求：get version）\n"


def test_what_may_be_meant_is_what_is_nearly_as_like_the_name() -> None:
    run = CliRunner(env={"LC_ALL": "C.UTF-8"})
    said = run.invoke(cli, ["install", "--serer", "a"]).stderr
    assert said.strip().endswith("did you mean --server?")
    said = run.invoke(cli, ["--lang", "zh", "server", "inti"]).stderr
    assert (
        said.strip()
        == "berth: `berth server` 没有命令 'inti'；你是想用 `berth server init` 或 `berth server lint` 吗？"
    )
