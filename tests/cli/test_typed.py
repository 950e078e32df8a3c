"""Arguments that a Chinese keyboard typed: each is told by its name and place before anything is done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from berth.cli.ending import EXIT_USAGE
from berth.cli.main import cli


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.mark.parametrize(
    ("arguments", "place", "character", "whole"),
    [
        (("server", "export", "add", "/srv", "--client", "10.0.0.0／8"), "--client", "SOLIDUS", "10.0.0.0/8"),
        (("server", "export", "add", "/srv", "--client=10.0.0.0／8"), "--client", "SOLIDUS", "10.0.0.0/8"),
        (("server", "verify", "10.0.0.5：/srv"), "argument 3", "COLON", "10.0.0.5:/srv"),
        (("server", "verify", "10.0.0.5:/srv\u200b"), "argument 3", "ZERO WIDTH SPACE", "10.0.0.5:/srv"),
        (("server", "lint", "—path", "/srv"), "argument 3", "EM DASH", "--path"),
        (("server", "lint", "——path", "/srv"), "argument 3", "EM DASH", "--path"),
        (("server", "lint", "－o", "json"), "argument 3", "HYPHEN-MINUS", "-o"),
        (("install", "--server", "“10.0.0.5”"), "--server", "QUOTATION MARK", '"10.0.0.5"'),
        (("install", "--mount-option", "hard，nfsvers=4.1"), "--mount-option", "COMMA", "hard,nfsvers=4.1"),
        (("install", "--parameter", "subDir=${pv.metadata.name}／x"), "--parameter", "SOLIDUS", "name}/x"),
        (("install", "--class", "nfs　client"), "--class", "IDEOGRAPHIC SPACE", "nfs client"),
        (("install", "--kubeconfig", "～/.kube/config"), "--kubeconfig", "TILDE", "~/.kube/config"),
        (("doctor", "claim", "shop／photos"), "argument 3", "SOLIDUS", "shop/photos"),
        (("doctor", "ｃlaim", "shop/photos"), "argument 2", "LATIN SMALL LETTER C", "claim"),
        (("run", "--log-level", "debug\ufeff"), "--log-level", "U+FEFF", "debug"),
    ],
)
def test_the_argument_the_character_and_what_to_type_are_told(
    arguments: tuple[str, ...], place: str, character: str, whole: str
) -> None:
    for lang in ("en", "zh"):
        done = run(*arguments, "--lang", lang)
        assert done.exit_code == EXIT_USAGE
        assert character in done.output
        assert whole in " ".join(done.output.split())
        assert place in done.output or lang == "zh"


def test_files_that_exist_have_the_names_that_they_have(tmp_path: Path) -> None:
    path = tmp_path / "导出（1）　副本.txt"
    path.write_text("# nothing\n", "utf-8")
    for argument in (str(path), f"--path={path}"):
        assert run("server", "lint", argument, "--lang", "en").exit_code in (0, 2, 3)
        assert "only looks like" not in run("server", "lint", argument).output


def test_chinese_names_are_names() -> None:
    done = run("server", "lint", "--path", "/srv/数据（旧）", "/dev/null", "--lang", "en")
    assert "only looks like" not in done.output


@pytest.mark.parametrize("variable", ["NFS_SERVER", "NFS_PATH", "PROVISIONER_NAME", "ENABLE_LEADER_ELECTION"])
def test_a_variable_of_a_manifest_is_told_by_its_name(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("NFS_SERVER", "nfs"), ("NFS_PATH", "/srv"), ("PROVISIONER_NAME", "nfs"), (variable, "x／y")):
        monkeypatch.setenv(name, value)
    done = run("run")
    assert done.exit_code == EXIT_USAGE
    assert f"{variable}: character 2 of 'x／y' is '／' (U+FF0F FULLWIDTH SOLIDUS)" in done.stderr


def test_programs_are_told_in_both_languages() -> None:
    done = run("server", "lint", "--path", "／srv", "-o", "json")
    message = json.loads(done.stdout)["error"]["message"]
    assert "FULLWIDTH SOLIDUS" in message["en"]
    assert "请改用英文的" in message["zh"]
