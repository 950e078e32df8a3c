"""`berth volume static`, as far as it needs no cluster."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from berth.cli.volume import volume_command
from berth.operations.static_volume import all_options


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--path=/srv/../etc"], "--path: '/srv/../etc' contains the part `.` or `..`"),
        (["--path=srv"], "--path: 'srv' is not an absolute path"),
        (["--claim=uploads"], "--claim: 'uploads' is not NAMESPACE/NAME, such as ddddd/demo4nfs"),
        (["--size=ten"], "--size: 'ten' is not a quantity"),
        (["--size=0"], "--size: must be more than nothing"),
        (["--server=a/b"], "--server: 'a/b' is not a host name or an IP address"),
        (["--mount-option=soft"], "--mount-option: soft lets writes fail"),
        (["--mount-option=nfsvers=5"], "--mount-option: `nfsvers=5` is no NFS version"),
        (["--name=Upper"], "--name: 'Upper' is not a name"),
        ([f"--name={'v' * 251}"], f"--name: the PV would be called {'v' * 40}…, which is 251 bytes; its record"),
        ([f"--claim=shop/{'c' * 246}"], f"--claim: the PV would be called shop-{'c' * 35}…, which is 251 bytes"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_can_not_be_or_would_be_dangerous_is_refused_in_one_sentence(arguments: list[str], said: str) -> None:
    fine = ["--server=10.0.0.5", "--path=/srv", "--claim=shop/uploads", "--size=1Gi"]
    answer = CliRunner().invoke(volume_command(), ["static", *fine, *arguments])
    assert answer.exit_code == 64
    assert answer.stderr.startswith(f"berth: {said}")
    assert answer.stdout == ""


def test_the_longest_name_that_a_record_can_have_is_taken_and_the_end_is_written_on_the_pv() -> None:
    fine = ["--server=10.0.0.5", "--path=/srv", f"--claim=shop/{'c' * 245}", "--size=1Gi", "-o", "json"]
    answer = CliRunner().invoke(volume_command(), ["static", *fine])
    pv = json.loads(answer.stdout)["items"][0]
    assert len(pv["metadata"]["name"]) == 250
    assert pv["metadata"]["annotations"] == {"berth.io/on-delete": "retain", "berth.io/adopted": "true"}
    assert pv["spec"]["persistentVolumeReclaimPolicy"] == "Retain"


@pytest.mark.parametrize(
    ("server", "asked", "options"),
    [
        ("10.0.0.5", (), ("hard", "nfsvers=4.1")),
        ("10.0.0.5", ("vers=3,nolock",), ("hard", "vers=3", "nolock")),
        ("10.0.0.5", ("soft", "v4.2"), ("soft", "v4.2")),
        ("0a1.cn-hangzhou.nas.aliyuncs.com", (), ("hard", "nfsvers=4.1", "noresvport")),
        ("fs-1.efs.eu-west-1.amazonaws.com", ("resvport",), ("hard", "nfsvers=4.1", "resvport")),
    ],
    ids=["none asked for", "another version", "another way to wait", "a cloud's service", "told otherwise"],
)
def test_what_is_safe_is_added_unless_said_otherwise(
    server: str, asked: tuple[str, ...], options: tuple[str, ...]
) -> None:
    assert all_options(server, asked) == options
