"""`HOST:/PATH`: what is understood, and what is told of the rest."""

from __future__ import annotations

import pytest

from berth.doctor.share.target import BadTarget, parse_target


@pytest.mark.parametrize(
    ("text", "server", "export"),
    [
        pytest.param("nfs.example.com:/srv/nfs", "nfs.example.com", "/srv/nfs", id="name"),
        pytest.param("10.0.0.5:/srv/nfs/", "10.0.0.5", "/srv/nfs", id="slash at the end"),
        pytest.param("nfs://x", None, "", id="url"),
        pytest.param("h:/srv//nfs", "h", "/srv/nfs", id="two slashes"),
        pytest.param("h:/", "h", "/", id="root"),
        pytest.param("[2001:db8::1]:/a:b", "2001:db8::1", "/a:b", id="IPv6, colon in the path"),
        pytest.param("2001:db8::1:/srv", "2001:db8::1", "/srv", id="IPv6 without brackets"),
        pytest.param("[2001:db8::1:/srv", None, "", id="a bracket left open"),
        pytest.param("[nfs.example]:/srv", None, "", id="a name in brackets"),
        pytest.param("2001:db8::1/srv", None, "", id="IPv6 without a colon before the path"),
        pytest.param("h:srv", None, "", id="relative"),
        pytest.param("/srv", None, "", id="no server"),
        pytest.param(":/srv", None, "", id="empty server"),
        pytest.param("a b:/srv", None, "", id="blank in the server"),
        pytest.param("h:/srv/../etc", None, "", id="dots"),
    ],
)
def test_a_target(text: str, server: str | None, export: str) -> None:
    if server is None:
        with pytest.raises(BadTarget):
            parse_target(text)
    else:
        target = parse_target(text, port=3, mountport=4)
        assert (target.server, target.export, target.port, target.mountport) == (server, export, 3, 4)


def test_an_address_without_brackets_is_told_of_them() -> None:
    with pytest.raises(BadTarget, match=r"put an IPv6 address into brackets"):
        parse_target("2001:db8::1/srv/nfs")
