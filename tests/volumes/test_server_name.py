"""How a server is written: bare by itself, in brackets in front of a path."""

from __future__ import annotations

import pytest

from berth.volumes.errors import Refused
from berth.volumes.parameters import mountable_address, parse_parameters, share_address
from berth.volumes.plan import make_plan
from berth.volumes.server_name import bare, bracketed, is_ipv6, on_server, respelled, split_share
from tests.volumes.builders import DEFAULT, nobody, request


@pytest.mark.parametrize(
    ("server", "before_a_path"),
    [("nfs.example", "nfs.example"), ("10.0.0.5", "10.0.0.5"), ("fd00::5", "[fd00::5]"), ("::1", "[::1]")],
)
def test_only_an_ipv6_address_stands_in_brackets(server: str, before_a_path: str) -> None:
    assert bracketed(server) == bracketed(before_a_path) == before_a_path
    assert bare(before_a_path) == bare(server) == server
    assert on_server(server, "/srv/a:/b") == f"{before_a_path}:/srv/a:/b"
    assert split_share(f"{server}:/srv/a:/b") == split_share(f"{before_a_path}:/srv/a:/b") == (server, "/srv/a:/b")
    assert respelled(f"{server}:/srv") == f"{before_a_path}:/srv"
    assert is_ipv6(server) == (":" in server)
    assert str(share_address(server, "/srv", ())) == f"{before_a_path}:/srv"
    assert split_share("nowhere") is None


@pytest.mark.parametrize("server", ["fe80::1", "fe80::1%eth0", "[fe80::1%eth0]", "fd00::5%eth0"])
def test_an_address_of_one_segment_is_refused_for_new_volumes_and_no_others(server: str) -> None:
    parameters = {"server": server, "share": "/srv"}
    with pytest.raises(Refused) as refusal:
        make_plan(request(parameters=parameters), DEFAULT, nobody)
    assert refusal.value.field == "parameter server"
    assert "fd00::/8" in refusal.value.text.en
    assert "唯一本地地址" in refusal.value.text.zh
    assert share_address(parse_parameters(parameters).server, "/srv", ()).server == bare(server)
    with pytest.raises(Refused, match=r"^--server: "):
        mountable_address(server, "/srv", (), field="--server")
