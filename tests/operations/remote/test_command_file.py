"""Which self-contained command is brought to a host."""

from __future__ import annotations

from pathlib import Path

import pytest

from berth import __version__
from berth.findings.finding import Subject
from berth.host import own_file
from berth.operations.remote.command_file import choose, read_head
from berth.operations.remote.findings import Unreached

HOST = Subject("host", "root@nas1")
SCRIPT = Path(__file__).resolve().parents[3] / "release/command.sh"


def made(path: Path, *, version: str = __version__, kernel: str = "x86_64") -> Path:
    """The head of such a command, as a release writes it."""
    path.write_text(SCRIPT.read_text().replace("@VERSION@", version).replace("@KERNEL@", kernel))
    return path


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    monkeypatch.setattr("sys.argv", [str(empty / "berth")])
    monkeypatch.setattr("berth.__file__", str(empty / "a/b/c/__init__.py"))
    monkeypatch.setattr(own_file, "_started", [])


def test_its_head_says_what_it_is(tmp_path: Path) -> None:
    head = read_head(made(tmp_path / "berth"))
    assert head is not None
    assert (head.version, head.kernel, head.size) == (__version__, "x86_64", head.path.stat().st_size)
    assert len(head.digest()) == 64


def test_of_those_that_are_named_the_one_for_the_machine_is_taken(tmp_path: Path) -> None:
    named = [made(tmp_path / "a"), made(tmp_path / "b", kernel="aarch64")]
    assert choose("aarch64", named, HOST).path == tmp_path / "b"
    assert choose("x86_64", named, HOST).path == tmp_path / "a"


@pytest.mark.parametrize(
    ("content", "id"),
    [("x", "no-command"), ("", "no-command"), (None, "command-unread")],
)
def test_what_is_named_and_is_none(tmp_path: Path, content: str | None, id: str) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_text(content)
    with pytest.raises(Unreached) as raised:
        choose("x86_64", [file], HOST)
    assert raised.value.finding is not None
    assert raised.value.finding.id == id
    assert str(file) in raised.value.text.zh


def test_another_version_or_machine_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(Unreached, match=r"is Berth 9\.9, and this is Berth"):
        choose("x86_64", [made(tmp_path / "a", version="9.9")], HOST)
    with pytest.raises(
        Unreached, match=f"is for aarch64, and root@nas1 is x86_64; name berth-{__version__}-linux-amd64"
    ):
        choose("x86_64", [made(tmp_path / "a", kernel="aarch64")], HOST)


def test_it_is_found_beside_the_command_here_and_as_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        Unreached, match=f"berth-{__version__}-linux-arm64 is needed, and it is not in {tmp_path}/empty"
    ):
        choose("aarch64", [], HOST)
    beside = made(tmp_path / f"berth-{__version__}-linux-arm64", kernel="aarch64")
    monkeypatch.setattr("sys.argv", [str(tmp_path / "berth")])
    assert choose("aarch64", [], HOST).path == beside
    own = made(tmp_path / "renamed")
    own_file.note_start(str(own))
    assert choose("x86_64", [], HOST).path == own
    assert choose("aarch64", [], HOST).path == beside


def test_an_older_one_beside_it_is_left_lying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", [str(tmp_path / "berth")])
    made(tmp_path / f"berth-{__version__}-linux-amd64", version="0.0.1")
    with pytest.raises(Unreached, match="is needed"):
        choose("x86_64", [], HOST)
