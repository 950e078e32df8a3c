"""What commands answer to programs is what docs/output.schema.json says, errors included."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

from berth.cli.commands import contexts_of
from berth.cli.main import cli
from berth.cli.version import ThisVersion
from berth.operations.apply import Applied
from berth.operations.changes import FieldChange
from berth.operations.classes import DefaultClass
from berth.operations.restore import Restored
from berth.operations.takeover.apply import TakenOver
from berth.operations.takeover.revert import Reverted
from berth.texts.data import as_data, camel
from tests.cli.test_plan import CLAIM, CLASS

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCHEMA: dict[str, Any] = json.loads((DOCS / "output.schema.json").read_text())


def run(*arguments: str, written: str = "") -> Result:
    nothing = dict.fromkeys(("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "NFS_SERVER", "NFS_PATH"))
    environment = {**nothing, "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    return CliRunner().invoke(cli, arguments, input=written, env=environment)


def check(answer: object, name: str) -> None:
    """Holds an answer against a command's schema, or against one of the definitions."""
    shape = SCHEMA["properties"].get(name) or {"$ref": f"#/$defs/{name}"}
    jsonschema.validate(answer, {**shape, "$defs": SCHEMA["$defs"]})


def keys(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for each in schema.values():
            yield from keys(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from keys(each)


def test_it_names_every_command_that_answers_in_lower_camel_case() -> None:
    root = click.Context(cli, info_name="berth")
    answering = {
        context.command_path
        for context in contexts_of(cli, root)
        if any(p.name == "output" for p in context.command.params)
    }
    assert set(SCHEMA["properties"]) == answering
    wrong = [key for key in keys(SCHEMA["$defs"]) if not re.fullmatch(r"[a-z][A-Za-z0-9]*", key)]
    assert wrong == []


RUNS: list[list[str]] = [
    ["version"], ["plan", "-f", "-"], ["doctor", "list"], ["doctor", "node"], ["doctor", "explain", "-"],
    ["doctor", "share", "127.0.0.9:/x", "--port", "1"], ["server", "verify", "127.0.0.9:/x", "--port", "1"],
    ["server", "status"], ["server", "lint"], ["server", "export", "list"],
    ["server", "init", "/srv/nfs/k8s", "--client", "10.0.0.1", "--dry-run"],
    ["server", "manifest", "--image", "a"], ["install", "--server=a", "--path=/a"],
    ["volume", "static", "--server=a", "--path=/a", "--claim=a/b", "--size=1Gi"],
]  # fmt: skip


@pytest.mark.parametrize("arguments", RUNS, ids=" ".join)
def test_an_answer_is_as_the_schema_says(arguments: list[str]) -> None:
    name = " ".join(["berth", *(word for word in arguments if re.fullmatch(r"[a-z]+", word) and word != "a")])
    written = "unexpected error getting claim reference: selfLink was empty, can't make reference\n"
    text = f"{CLAIM}---\n{CLASS}" if arguments[0] == "plan" else written
    done = run(*arguments, "-o", "json", written=text)
    check(json.loads(done.stdout), name)
    assert list(yaml.safe_load_all(run(*arguments, "-o", "yaml", written=text).stdout)) != [None]


@pytest.mark.parametrize(
    "arguments",
    [
        ["docter"], ["doctor"], ["doctor", "claim", "a/b/c"], ["install"], ["uninstall", "--yes"],
        ["class", "default", "x"],
        ["takeover", "plan"], ["volume", "end", "pvc-1", "delete"], ["server", "verify", "nonsense"],
        ["server", "export", "add", "/x"], ["plan", "-f", "/nowhere"], ["doctor", "explain", "/nowhere"],
        ["install", "--server=a", "--path=b"], ["server", "lint", "/nowhere"],
    ],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_an_error_comes_in_the_form_that_was_asked_for(arguments: list[str], form: str) -> None:
    done = run(*arguments, "-o", form)
    assert done.stderr == ""
    answer = json.loads(done.stdout) if form == "json" else yaml.safe_load(done.stdout)
    check(answer, "error")
    assert answer["exitCode"] == done.exit_code != 0
    assert done.exit_code == run(*arguments).exit_code


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (ThisVersion, "version"), (Applied, "applied"), (DefaultClass, "defaultClass"), (TakenOver, "takenOver"),
        (Reverted, "reverted"), (Restored, "restored"), (FieldChange, "installed"),
    ],
)  # fmt: skip
def test_what_a_cluster_is_needed_for_has_the_keys_of_the_schema(kind: Any, name: str) -> None:
    shape: Any = SCHEMA["$defs"][name]
    shape = {
        "restored": lambda: shape["properties"]["volumes"],
        "installed": lambda: shape["properties"]["changes"],
    }.get(name, lambda: shape)()
    properties = (shape["items"] if shape["type"] == "array" else shape)["properties"]
    assert {camel(field.name) for field in dataclasses.fields(kind)} == set(properties)


def test_the_keys_of_dataclasses_are_put_into_camel_case_and_data_stays() -> None:
    assert as_data(DefaultClass("a", True, ("b",))) == {"name": "a", "wasDefault": True, "unset": ["b"]}
    assert as_data({"some_label": {"x_y": 1}}) == {"some_label": {"x_y": 1}}
