"""What of a command line is for the hosts, what is for here, and what is said of what does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner, Result

from berth.cli.main import cli
from berth.operations.remote.client import SshOptions
from berth.operations.remote.target import Target
from berth.operations.remote.work import Order


class Taken:
    """What would have been run on the hosts."""

    hosts: Sequence[Target]
    order: Order
    output: str
    more: dict[str, Any]

    def __call__(self, hosts: Sequence[Target], order: Order, output: str, lang: str, **more: Any) -> NoReturn:
        self.hosts, self.order, self.output, self.more = hosts, order, output, more
        raise SystemExit(0)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Taken:
    double = Taken()
    monkeypatch.setattr("berth.cli.hosts.side_by_side.run_on", double)
    return double


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, env={"LC_ALL": "C.UTF-8"})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            "server init /srv/nfs --client 10.0.0.0/8 --client=@g --yes",
            "server init --output=table --lang=en --client=10.0.0.0/8 --client=@g --yes -- /srv/nfs",
        ),
        ("server lint -o yaml", "server lint --output=json --lang=en"),
        ("server lint /a --lang zh -ojson", "server lint --output=json --lang=zh -- /a"),
        ("server lint -- -odd", "server lint --output=table --lang=en -- -odd"),
        ("server export add /a --client=-x", "server export add --output=table --lang=en --client=-x -- /a"),
        (
            "server verify a:/b --port 2050 --from-node",
            "server verify --output=table --lang=en --from-node --port=2050 -- a:/b",
        ),
        ("doctor node --root /none/here", "doctor node --output=table --lang=en --root=/none/here"),
        ("doctor -o json node", "doctor node --output=json --lang=en"),
        ("doctor share a:/b", "doctor share --output=table --lang=en -- a:/b"),
        ("server status", "server status --output=table --lang=en"),
        ("server export list", "server export list --output=table --lang=en"),
        ("server export remove /a", "server export remove --output=table --lang=en -- /a"),
    ],
)
def test_the_hosts_get_what_was_typed(taken: Taken, given: str, words: str) -> None:
    before, _, after = given.partition(" -- ")
    done = run(*before.split(), "--on", "root@nas1", *(["--", *after.split()] if after else []))
    assert done.exit_code == 0, done.output
    assert list(taken.order.words) == words.split()
    assert [each.word for each in taken.hosts] == ["root@nas1"]


def test_ssh_s_options_are_ssh_s(taken: Taken) -> None:
    options = "-p 2222 -J jump -i a -i b -F c --ssh-option A=b --ssh-option C=d --ask-pass"
    run("server", "status", "--on", "a", "--on", "b", "--on", "a", *options.split())
    assert taken.order.options == SshOptions(2222, "jump", ("a", "b"), "c", ("A=b", "C=d"))
    assert [each.word for each in taken.hosts] == ["a", "b"]
    assert taken.more == {"may_ask": True}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("server status -p 22", "--ssh-port says how to get to a host: give --on, too"),
        ("server status --on", "--on"),
        ("server status --on -x", "--on"),
        ("server status --on a:22", "ssh://a:22"),
        ("server init --on a", "PATH is missing"),
        ("server init /a --clint b --on a", "--client"),
        ("server init /a b --on a", "b"),
        ("server status -o xml --on a", "-o"),
        ("server status --on a -p 99999", "--ssh-port: "),
        ("server status --on a --port 22", "--ssh-port"),
        ("server manifest --image a --on a", "--on is not an option"),
    ],
)
def test_what_does_not_fit_is_said_here(taken: Taken, given: str, said: str) -> None:
    done = run(*given.split())
    assert (done.exit_code, done.stdout) == (64, ""), done.output
    (line,) = done.stderr.splitlines()
    assert said in line


def test_help_is_help(taken: Taken) -> None:
    assert run("server", "status", "--on", "a", "--help").stdout == run("server", "status", "--help").stdout
    assert "--on [USER@]HOST" in run("doctor", "node", "--help").stdout
