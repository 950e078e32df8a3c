"""YAML costs what it says, however it is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import berth
from berth.texts.yaml_in import ALIASED, DEEPEST, YamlRefused, read_documents, read_yaml


def test_it_reads_what_yaml_says() -> None:
    assert read_yaml("a: &b {x: 1}\nc: {<<: *b, y: 2}\nd: [*b, '*', a *b]") == {
        "a": {"x": 1}, "c": {"x": 1, "y": 2}, "d": [{"x": 1}, "*", "a *b"],
    }  # fmt: skip
    assert list(read_documents(b"a: 1\n---\nb: 2\n")) == [{"a": 1}, {"b": 2}]
    assert read_yaml("") is None


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{each}: &a{each} [{', '.join([f'*a{each - 1}'] * 10)}]" for each in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (bomb(6), f"stand for more than {ALIASED} values"),
        (bomb(60), f"stand for more than {ALIASED} values"),
        ("a: &a [*a]", f"stand for more than {ALIASED} values"),
        ("&a {? *a : 1}", f"stand for more than {ALIASED} values"),
        ("a: &a [" + "x, " * 2000 + "]\nb: [" + "*a, " * 20 + "]", f"stand for more than {ALIASED} values"),
        ("[" * 100_000 + "]" * 100_000, f"more than {DEEPEST} levels deep"),
        ("- " * 100_000 + "x", f"more than {DEEPEST} levels deep"),
        ("\n".join(f"{' ' * each}a:" for each in range(500)), f"more than {DEEPEST} levels deep"),
    ],
)
def test_it_refuses_what_stands_for_more_than_it_says(text: str, says: str) -> None:
    with pytest.raises(YamlRefused, match=says):
        read_yaml(text)


def test_nobody_reads_yaml_by_another_way() -> None:
    source = Path(berth.__file__).parent
    past = [
        str(path)
        for path in source.rglob("*.py")
        if path.name != "yaml_in.py"
        and re.search(r"yaml\.(safe_|full_|unsafe_)?load|KubeConfig\.from_file", path.read_text())
    ]
    assert past == []
