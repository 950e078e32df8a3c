"""How ssh is called."""

from __future__ import annotations

import os
from pathlib import Path

from berth.operations.remote.client import SshOptions, connect_argv, folder_for_socket, run_argv
from berth.operations.remote.target import parse_target

HOST = parse_target("root@nas1")
FOLDER = Path("/tmp/berth-x")


def settings(argv: list[str]) -> dict[str, str]:
    """What ssh takes of its options: of two values the first."""
    found: dict[str, str] = {}
    for name, value in (argv[at + 1].split("=", 1) for at, word in enumerate(argv) if word == "-o"):
        found.setdefault(name, value)
    return found


def test_what_the_person_says_stands_before_our_wishes_and_behind_what_must_be() -> None:
    options = SshOptions(
        2222, "jump", ("a", "b"), "/etc/my", ("ConnectTimeout=1", "ControlPath=/mine", "LogLevel=DEBUG")
    )
    argv = connect_argv(HOST, options, FOLDER, may_ask=False)
    assert argv[0] == "ssh"
    known = settings(argv)
    assert known["ConnectTimeout"] == "1"
    assert known["LogLevel"] == "DEBUG"
    assert known["ControlPath"] == "/tmp/berth-x/s"
    assert known["ControlMaster"] == "yes"
    given = "-F /etc/my -o ConnectTimeout=1 -o ControlPath=/mine -o LogLevel=DEBUG -p 2222 -J jump -i a -i b"
    assert given in " ".join(argv)
    assert argv[-3:-1] == ["--", "root@nas1"]


def test_nobody_is_asked_unless_he_wants_to_be() -> None:
    assert settings(connect_argv(HOST, SshOptions(), FOLDER, may_ask=False))["BatchMode"] == "yes"
    assert settings(connect_argv(HOST, SshOptions(), FOLDER, may_ask=True))["BatchMode"] == "no"


def test_a_program_goes_over_the_connection_or_not_at_all() -> None:
    argv = run_argv(HOST, FOLDER, "exec sh -s")
    assert settings(argv)["ControlPath"] == "/tmp/berth-x/s"
    assert settings(argv)["ProxyCommand"] == "false"
    assert argv[1:3] == ["-F", os.devnull]
    assert argv[-3:] == ["--", "root@nas1", "exec sh -s"]


def test_the_sockets_path_is_short_and_plain(tmp_path: Path) -> None:
    """With what ssh appends while it makes the socket, it has to fit into 104 bytes."""
    long, odd = tmp_path / ("x" * 90), tmp_path / "a b%h"
    for folder in (long, odd):
        folder.mkdir()
        with folder_for_socket({"XDG_RUNTIME_DIR": str(folder), "TMPDIR": str(folder)}) as made:
            assert not made.startswith(str(folder))
            assert len(f"{made}/s.0123456789abcdef") < 104
            assert Path(made).stat().st_mode & 0o777 == 0o700
    plain = tmp_path / "run"
    plain.mkdir()
    if len(str(plain)) < 60:
        with folder_for_socket({"XDG_RUNTIME_DIR": str(plain)}) as made:
            assert Path(made).parent == plain
        assert not Path(made).exists()
