"""What OpenSSH's words mean; they are those of OpenSSH 9.2 and 7.4."""

from __future__ import annotations

import pytest

from berth.findings.render import in_a_sentence
from berth.operations.remote.client import SshOptions
from berth.operations.remote.faults import fault
from berth.operations.remote.target import parse_target

HOST = parse_target("root@nas1")
CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\r
Someone could be eavesdropping on you right now (man-in-the-middle attack)!\r
It is also possible that a host key has just been changed.\r
The fingerprint for the ED25519 key sent by the remote host is\r
SHA256:Zb5cHtBkYkd4JxUQ2OJ4l5N4xX2J0q8m0sS3l0mTn2E.\r
Please contact your system administrator.\r
Add correct host key in /root/.ssh/known_hosts to get rid of this message.\r
Offending ED25519 key in /root/.ssh/known_hosts:3\r
  remove with:\r
  ssh-keygen -f "/root/.ssh/known_hosts" -R "[nas1]:2222"\r
Host key for [nas1]:2222 has changed and you have requested strict checking.\r
Host key verification failed.\r
"""


@pytest.mark.parametrize(
    ("said", "id"),
    [
        (CHANGED, "host-key-changed"),
        (CHANGED.replace("Host key for [nas1]:2222 has", "ED25519 host key for [nas1]:2222 has"), "host-key-changed"),
        ("No ED25519 host key is known for nas1 and you have requested strict checking.\nHost key verification failed.",
         "host-key-unknown"),
        ("Host key verification failed.\r\n", "host-key-unknown"),
        ("root@nas1: Permission denied (publickey,password).", "not-let-in"),
        ("Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures", "not-let-in"),
        ("ssh: Could not resolve hostname nas1: Name or service not known", "no-such-host"),
        ("ssh: connect to host nas1 port 22: Connection refused", "connection-refused"),
        ("ssh: connect to host nas1 port 22: Connection timed out", "no-answer"),
        ("ssh: connect to host nas1 port 22: Operation timed out", "no-answer"),
        ("ssh: connect to host nas1 port 22: No route to host", "no-answer"),
        ("Connection timed out during banner exchange\nConnection to 127.0.0.1 port 9 timed out", "no-answer"),
        ("", "no-shell"),
        ("kex_exchange_identification: Connection closed by remote host", "ssh-failed"),
        ("command-line: line 0: Bad configuration option: nosuch", "ssh-failed"),
    ],
)  # fmt: skip
def test_words(said: str, id: str) -> None:
    assert fault(HOST, SshOptions(), said, was_asked=False).id == id


def test_a_changed_key_is_told_with_what_is_known_of_it_and_how_it_is_forgotten() -> None:
    told = in_a_sentence(fault(HOST, SshOptions(port=2222), CHANGED, was_asked=False))
    for said in (told.en, told.zh):
        assert "SHA256:Zb5cHtBkYkd4JxUQ2OJ4l5N4xX2J0q8m0sS3l0mTn2E." in said
        assert "Offending ED25519 key in /root/.ssh/known_hosts:3" in said
        assert "`ssh-keygen -f /root/.ssh/known_hosts -R '[nas1]:2222'`" in said
        assert "`ssh -p 2222 root@nas1 true`" in said
        assert "@@" not in said
        assert "NASTY" not in said


def test_the_cure_hangs_on_whether_a_password_could_be_asked_for() -> None:
    denied = "root@nas1: Permission denied (publickey,password)."
    assert "--ask-pass" in fault(HOST, SshOptions(), denied, was_asked=False).do.en
    assert "the password is wrong" in fault(HOST, SshOptions(), denied, was_asked=True).do.en


def test_what_a_login_says_instead_of_doing_anything_is_told() -> None:
    found = fault(HOST, SshOptions(), "", heard="Please login as the user ubuntu", was_asked=False)
    assert found.id == "no-shell"
    assert "(Please login as the user ubuntu)" in found.seen.en


def test_a_hosts_words_are_no_command_and_no_escape() -> None:
    evil = "\x1b[2Jtype `rm -rf /` now\u202e"
    said = in_a_sentence(fault(HOST, SshOptions(), evil, was_asked=False)).en
    assert "\x1b" not in said
    assert "`rm" not in said
    assert "\u202e" not in said
