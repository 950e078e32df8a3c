"""`berth doctor` as people run it."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from berth.cli.main import cli
from berth.findings.finding import Report
from tests.cli.command import PROGRAM, environment

LOG = (
    'E0622 09:53:33.464213 1 controller.go:1004] provision "ddddd/demo4nfs" class "managed-nfs-storage": '
    "unexpected error getting claim reference: selfLink was empty, can't make reference\n"
)


def doctor(*arguments: str, text: str = "", **settings: str) -> Result:
    """What `berth doctor` answers. In this process: starting one takes longer than all that it does."""
    nothing = dict.fromkeys(("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "LC_MESSAGES", "LANG"))
    known = {**nothing, "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", **settings}
    return CliRunner().invoke(cli, ["doctor", *arguments], input=text, env=known)


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "provisioner.log"
    path.write_text(LOG)
    return str(path)


def test_a_log_is_explained_with_the_cure_of_the_version(log: str) -> None:
    old = doctor("explain", log, "--kubernetes-version", "1.22")
    new = doctor("explain", log, "--kubernetes-version", "v1.28.4")
    assert (old.exit_code, new.exit_code) == (2, 2)
    assert "claim ddddd/demo4nfs stays Pending" in old.stdout
    assert "stop-gap" in old.stdout
    assert "Do NOT add --feature-gates=RemoveSelfLink=false" in new.stdout


def test_it_speaks_the_language_of_the_locale_or_the_one_asked_for(log: str) -> None:
    assert "个故障" in doctor("explain", log, LC_ALL="zh_CN.UTF-8").stdout
    assert "个故障" in doctor("explain", log, "--lang", "zh").stdout
    assert "1 failure" in doctor("explain", log, "--lang", "en", LC_ALL="zh_CN.UTF-8").stdout


def test_a_pipe_and_a_packed_file_will_do(tmp_path: Path) -> None:
    packed = tmp_path / "log.gz"
    packed.write_bytes(gzip.compress(LOG.encode()))
    assert "[selflink-empty]" in doctor("explain", str(packed)).stdout
    argv = ["sh", "-c", '"$0" doctor explain < "$1"', str(PROGRAM), str(packed)]
    assert b"[selflink-empty]" in subprocess.run(argv, capture_output=True, check=False, env=environment({})).stdout
    assert "[selflink-empty]" in doctor("explain", text=LOG).stdout
    assert "[selflink-empty]" in doctor("explain", "-", text=LOG).stdout


@pytest.mark.parametrize(("form", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_programs_get_stable_ids_and_both_languages(log: str, form: str, read: object) -> None:
    assert callable(read)
    done = doctor("explain", log, "-o", form)
    report = read(done.stdout)
    assert report["findings"][0]["id"] == "selflink-empty"
    assert "一直 Pending" in report["findings"][0]["seen"]["zh"]
    assert report["exitCode"] == done.exit_code == 2


def test_what_any_program_may_say_is_a_question_and_no_finding() -> None:
    told = doctor("explain", text="umount:/mnt:device is busy\n")
    assert told.exit_code == 0
    assert told.stdout.startswith(
        "no known failure in it, 1 question\n\nQUESTION  is /mnt an NFS mount? [unmount-busy]\n"
    )
    assert "\n    $ findmnt -T /mnt\n" in told.stdout
    report = json.loads(doctor("explain", "-o", "json", text="umount:/mnt:device is busy\n").stdout)
    assert (report["findings"], report["exitCode"]) == ([], 0)
    assert [each["id"] for each in report["questions"]] == ["unmount-busy"]


def test_a_text_without_failures_is_healthy(tmp_path: Path) -> None:
    done = doctor("explain", text="I0622 09:53:33.464213 1 main.go:1] started\n")
    assert (done.exit_code, done.stdout) == (0, "no known failure in it\n")


@pytest.mark.parametrize(
    ("content", "en", "zh"),
    [
        (b"", "there is no text in it", "没有内容"),
        (gzip.compress(b""), "there is no text in it", "没有内容"),
        (bytes(range(256)) * 40, "this is not text", "不是文本"),
    ],
    ids=["empty", "packed and empty", "binary"],
)
def test_where_there_is_nothing_to_read_nothing_is_called_healthy(
    tmp_path: Path, content: bytes, en: str, zh: str
) -> None:
    file = tmp_path / "log"
    file.write_bytes(content)
    done = doctor("explain", str(file))
    assert (done.exit_code, done.stdout, done.stderr) == (3, "", f"berth: {file}: {en}\n")
    assert doctor("explain", str(file), "--lang", "zh").stderr == f"berth: {file}：{zh}\n"
    piped = subprocess.run(
        [PROGRAM, "doctor", "explain"], input=content, capture_output=True, check=False, env=environment({})
    )
    assert (piped.returncode, piped.stderr.decode()) == (3, f"berth: standard input: {en}\n")


def test_a_closed_standard_input_is_empty() -> None:
    argv = ["sh", "-c", 'exec "$0" doctor explain <&-', str(PROGRAM)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment({}))
    assert (done.returncode, done.stderr) == (3, "berth: standard input: there is no text in it\n")


@pytest.mark.parametrize(
    "content",
    [LOG.encode("utf-16"), gzip.compress(LOG.encode("utf-16")), LOG.encode() + bytes(4000)],
    ids=["PowerShell", "packed", "cut off by a crash"],
)
def test_odd_texts_are_read_all_the_same(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "log"
    file.write_bytes(content)
    assert "claim ddddd/demo4nfs stays Pending" in doctor("explain", str(file)).stdout


def test_what_can_t_be_read_is_told_in_a_sentence(tmp_path: Path) -> None:
    missing = doctor("explain", "/nowhere/x.log")
    assert (missing.exit_code, missing.stderr) == (3, "berth: /nowhere/x.log: No such file or directory\n")
    broken = tmp_path / "x.gz"
    for content in (gzip.compress(LOG.encode())[:40], gzip.compress(b"")[:10] + b"\xff" * 40):
        broken.write_bytes(content)
        done = doctor("explain", str(broken))
        assert done.exit_code == 3
        assert isinstance(done.exception, SystemExit)
        assert done.stderr.startswith(f"berth: {broken}: ")


def test_a_version_that_is_none_is_refused(log: str) -> None:
    done = doctor("explain", log, "--kubernetes-version", "latest")
    assert done.exit_code == 64
    assert "'latest' is not a version of Kubernetes such as 1.28" in done.stderr


def test_an_interrupt_ends_it_with_a_word() -> None:
    process = subprocess.Popen(
        [str(PROGRAM), "doctor", "explain"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment({}),
    )
    wchan = Path(f"/proc/{process.pid}/wchan")
    with process:
        while "pipe_read" not in wchan.read_text():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=30)
    assert (process.returncode, complaint) == (130, "berth: interrupted\n")


def test_the_list_names_checks_and_failures() -> None:
    content = json.loads(doctor("list", "-o", "json").stdout)
    assert {"node-mounts", "lock"} <= {check["id"] for check in content["checks"]}
    assert {"selflink-empty", "clone-empty"} <= {failure["id"] for failure in content["failures"]}
    listed = doctor("list", "--lang", "zh").stdout
    assert "selflink-empty" in listed
    assert "NFS 挂载点是否应答" in listed


def test_a_node_is_looked_at() -> None:
    done = doctor("node", "-o", "json")
    report = json.loads(done.stdout)
    assert "node-mounts" in report["checks"]
    assert done.exit_code == report["exitCode"]
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["claim", "/demo4nfs"], "write it as NAMESPACE/NAME, such as default/demo4nfs"),
        (["claim", "a/demo4nfs", "-n", "b"], "'a/demo4nfs' is in another namespace than 'b'"),
        (["pod", "a/b/c"], "write it as NAMESPACE/NAME"),
        (["volume", "a/b"], "PVs have no namespace"),
        (["node", "--root", "/nowhere"], "does not exist"),
        (["share", "nonsense"], "nonsense"),
        (["clean"], "`berth doctor` has no command 'clean'; did you mean `berth doctor claim`?"),
    ],
)
def test_wrong_arguments_are_told_what_is_right(arguments: list[str], says: str) -> None:
    done = doctor(*arguments)
    assert done.exit_code == 64
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [[], ["claim", "a/b"], ["claim", "b", "-n", "a"], ["volume", "x"], ["pod", "a/b"]]
)
def test_without_a_cluster_nothing_can_be_looked_at(arguments: list[str]) -> None:
    done = doctor(*arguments)
    assert done.exit_code == 3
    assert done.stderr.startswith("berth: no Kubernetes configuration found")


def test_what_stands_before_the_subcommand_holds_for_it_too(log: str) -> None:
    assert "个故障" in doctor("--lang", "zh", "explain", log).stdout


@pytest.mark.parametrize(("form", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_a_share_is_told_in_the_forms_of_all_other_commands(form: str, read: Callable[[str], Any]) -> None:
    done = doctor("share", "127.0.0.9:/x", "--port", "1", "-o", form)
    report = read(done.stdout)
    assert (report["culprit"], report["exitCode"], done.exit_code) == ("nfs-port", 2, 2)
    assert "3 something could not be looked at" in " ".join(doctor("share", "--help").stdout.split())


def test_a_list_that_stands_for_more_than_it_says_is_refused_with_a_sentence(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.yaml"
    levels = [f"a{each}: &a{each} [{', '.join([f'*a{each - 1}'] * 10)}]" for each in range(1, 40)]
    bomb.write_text("apiVersion: v1\na0: &a0 [x, x, x]\n" + "\n".join(levels))
    answer = doctor("explain", str(bomb))
    assert (answer.exit_code, answer.stdout) == (3, "")
    assert answer.stderr.endswith("stand for more than 10000 values; it was read line by line\n")
    bomb.write_text(f"{bomb.read_text()}\n{LOG}")
    assert "[selflink-empty]" in doctor("explain", str(bomb)).stdout


def test_what_goes_further_is_asked_for_and_only_with_a_try() -> None:
    for wish in (["--leave-behind"], ["--all-nodes"], ["--probe-image", "a"]):
        answer = doctor(*wish)
        assert answer.exit_code == 64
        assert f"{wish[0]} says how to try it: give --active, too" in answer.stderr
    assert "'evil' is not NAMESPACE/ACCOUNT" in doctor("--trust", "evil").stderr


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["claim", "demo4nfs"], "claim ddddd/demo4nfs"),
        (["claim", "demo4nfs", "-n", "other"], "claim other/demo4nfs"),
        (["claim", "a/demo4nfs"], "claim a/demo4nfs"),
        (["pod", "web-0"], "pod ddddd/web-0"),
        (["volume", "pvc-1"], "volume pvc-1"),
    ],
    ids=" ".join,
)
def test_an_object_is_looked_for_where_kubectl_would(
    typed: list[str], meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def examine(about: object, *_given: object, **_more: object) -> Report:
        asked.append(str(about))
        return Report()

    config = tmp_path / "config"
    config.write_text(
        json.dumps(
            {
                "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
                "users": [{"name": "u", "user": {}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "ddddd"}}],
                "current-context": "x",
            }
        )
    )
    monkeypatch.setattr("berth.cli.doctor.cluster.examine_cluster", examine)
    assert doctor(*typed, "--kubeconfig", str(config)).exit_code == 0
    assert asked == [meant]


SECRETS = ("ddddd", "demo4nfs", "managed-nfs-storage")


@pytest.mark.parametrize("form", ["table", "json", "yaml"])
def test_with_stand_ins_names_are_not_told(log: str, form: str) -> None:
    for arguments in (("explain", log, "--redact", "-o", form), ("--redact", "explain", log, "-o", form)):
        done = doctor(*arguments, "--kubernetes-version", "1.28")
        assert done.exit_code == 2
        assert "namespace-1/claim-1" in done.stdout
        assert not [name for name in SECRETS if name in done.output]


KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: acme-prod
contexts: [{name: acme-prod, context: {cluster: acme-east, user: alice7, namespace: shop7}}]
clusters: [{name: acme-east, cluster: {server: "https://k8s-7.acme.invalid:6443"}}]
users: [{name: alice7, user: {token: t0psecret}}]
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("--redact",),
        ("--redact", "-o", "json"),
        ("claim", "shop7/photos7", "--redact", "--context", "acme-west"),
        ("claim", "shop7/photos7", "--redact", "--context", "acme-west", "-o", "json"),
        ("claim", "shop7/photos7/acme", "--redact"),
        ("claim", "shop7/photos7", "-n", "acme", "--redact", "-o", "yaml"),
        ("volume", "shop7/photos7", "--redact"),
        ("--redact", "--trust", "acme7"),
        ("share", "nas7.acme.invalid:/srv/acme", "--redact", "--timeout", "1"),
        ("share", "nas7.acme.invalid:/srv/acme", "--redact", "--timeout", "1", "-o", "json"),
        ("share", "nas7.acme.invalid", "--redact"),
        ("node", "--on", "alice7@nas7.acme.invalid", "--redact"),
        ("--redact", "node", "--on", "alice7@nas7.acme.invalid", "-o", "json"),
        ("node", "--on", "alice7@nas7.acme.invalid", "--on", "root@acme.invalid", "--redact", "-o", "yaml"),
        ("explain", "/srv/acme/alice7.log", "--redact"),
        ("explain", "/srv/acme/alice7.log", "--redact", "-o", "json", "--lang", "zh"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_errors_don_t_tell_them_either(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    kubeconfig = tmp_path / "acme7.kubeconfig"
    kubeconfig.write_text(KUBECONFIG)
    done = doctor(*arguments, KUBECONFIG=str(kubeconfig))
    assert done.exit_code in (2, 3, 64)
    said = done.output.lower()
    assert said
    assert not [name for name in ("acme", "shop7", "photos7", "alice7", "nas7", "k8s-7") if name in said]
