"""A fact in a command is one inert word, or the command says where it belongs."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from berth.texts.command import Shell, command, spelled, word
from berth.texts.visible import is_visible

ANY = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@given(ANY)
@example("$(touch x)`touch x`'\"\\\n\t\x1b\u202e\U000e0001-~*?{a}")
@example("")
def test_bash_reads_it_as_the_very_text(text: str) -> None:
    said = word(text)
    assert is_visible(said)
    assert "`" not in said
    assert len(shlex.split(said)) == 1
    done = subprocess.run(["/bin/bash", "-c", f"printf %s {said}"], capture_output=True, env={"LC_ALL": "C.UTF-8"})
    assert done.stdout == text.encode()


def test_facts_are_words_or_parts_of_words() -> None:
    assert command("kubectl -n {ns} scale deployment/{name} --replicas=0", ns="a b", name="x;y") == (
        "kubectl -n 'a b' scale deployment/'x;y' --replicas=0"
    )
    assert command("kubectl annotate pv {pvs} a=b", pvs=["a", "b c"]) == "kubectl annotate pv a 'b c' a=b"
    assert command("echo {whole}", whole=Shell("a | b")) == "echo a | b"
    assert command("""patch -p '{"spec":{}}' {n}""", n=1) == """patch -p '{"spec":{}}' 1"""
    assert spelled("berth", "x y", "$(z)") == "berth 'x y' '$(z)'"


@pytest.mark.parametrize("fact", ["-oProxyCommand=x", "--as=root", "y" * 1001])
def test_what_would_be_an_option_or_can_t_be_looked_over_is_left_to_the_person(fact: str) -> None:
    assert command("ping {host}", host=fact) == "ping HOST"
    if fact.startswith("-"):
        assert command("berth install --server={host}", host=fact) == f"berth install --server={fact}"


def test_a_slot_within_quotes_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="stands within quotes"):
        command("ss 'sport = :{port}'", port=1)
    with pytest.raises(KeyError):
        command("ping {host}")
