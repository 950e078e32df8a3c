"""What `--on` takes for a host, and what it says of what is none."""

from __future__ import annotations

import pytest

from berth.operations.remote.target import BadHost, parse_target


@pytest.mark.parametrize(
    ("given", "word", "host", "user", "shown"),
    [
        ("nas1", "nas1", "nas1", "", "nas1"),
        ("root@nas1.example.com", "root@nas1.example.com", "nas1.example.com", "root", "root@nas1.example.com"),
        ("root@10.0.0.5", "root@10.0.0.5", "10.0.0.5", "root", "root@10.0.0.5"),
        ("root@2001:db8::5", "root@2001:db8::5", "2001:db8::5", "root", "root@2001:db8::5"),
        ("root@[2001:db8::5]", "root@2001:db8::5", "2001:db8::5", "root", "root@2001:db8::5"),
        ("ssh://root@nas1:2222", "ssh://root@nas1:2222", "nas1", "root", "root@nas1:2222"),
        ("ssh://[2001:db8::5]:2222", "ssh://[2001:db8::5]:2222", "2001:db8::5", "", "[2001:db8::5]:2222"),
    ],
)
def test_a_host(given: str, word: str, host: str, user: str, shown: str) -> None:
    target = parse_target(given)
    assert (target.word, target.host, target.user, str(target)) == (word, host, user, shown)


@pytest.mark.parametrize(
    "given",
    ["", "-oProxyCommand=reboot", "root@-oProxyCommand=reboot", "a b", "nas1\n", "root@", "@nas1", "a@b@c", "nas1:/srv",
     "ssh://", "ssh://nas1:port", "nas1/srv", "ssh://-x"],
)  # fmt: skip
def test_none(given: str) -> None:
    with pytest.raises(BadHost) as raised:
        parse_target(given)
    assert "write it as root@" in raised.value.text.en
    assert "请写成" in raised.value.text.zh


def test_a_port_is_not_taken_for_a_part_of_the_name() -> None:
    with pytest.raises(BadHost, match="ssh takes as ssh://root@nas1:2222, or with -p"):
        parse_target("root@nas1:2222")
