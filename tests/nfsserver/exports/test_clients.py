"""Clients: their kinds, those that match nobody, and which ones overlap."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.nfsserver.exports.clients import BadClient, ClientKind, check, classify, covers, host_bits, overlap


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("*", "everybody"),
        ("", "everybody"),
        ("gss/krb5p", "gss"),
        ("@group", "netgroup"),
        ("*.lan", "wildcard"),
        ("node[0-9]", "wildcard"),
        ("10.0.0.0/8", "network"),
        ("2001:db8::/32", "network"),
        ("node1", "host"),
        ("2001:db8::1", "host"),
        ("a\\*b", "host"),
        ("*/x", "wildcard"),
        ("x/*", "network"),
    ],
)
def test_kinds(text: str, kind: ClientKind) -> None:
    assert classify(text).kind == kind


@given(text=st.text(max_size=20))
def test_any_text_is_some_client(text: str) -> None:
    client = classify(text)
    assert client.text == (text or "*")
    assert overlap(client, client)
    with suppress(BadClient):
        assert check(text) == client


@pytest.mark.parametrize(
    ("text", "code", "plain"),
    [
        ("10.0.0.0/8[rw,sync]", "other-brackets", "10.0.0.0/8(rw,sync)"),
        ("*{rw}", "other-brackets", "*(rw)"),
        ("node<ro>", "other-brackets", "node(ro)"),
        ("10.0.0.1-10.0.0.9", "address-range", ""),
        ("10.0.0.1-9", "address-range", ""),
        ("[2001:db8::1]", "bracketed-address", "2001:db8::1"),
        ("[2001:db8::]/64", "bracketed-address", "2001:db8::/64"),
        ("10.0.0.1,10.0.0.2", "comma-in-client", ""),
        ("10.0.0/8", "bad-network", ""),
        ("10.0.0.0/33", "bad-network", ""),
        ("10.0.0.0/0.255.255.255", "bad-network", ""),
        ("192.168.1.*", "wildcard-on-address", "192.168.1.0/24"),
        ("10.*", "wildcard-on-address", "10.0.0.0/8"),
        ("host#note", "bad-client", ""),
        ("node_1-", "bad-client", ""),
        ("@", "bad-client", ""),
        ("a b", "bad-client", ""),
    ],
)
def test_clients_that_match_nobody(text: str, code: str, plain: str) -> None:
    with pytest.raises(BadClient) as caught:
        check(text)
    assert (caught.value.fault, caught.value.plain) == (code, plain)


@pytest.mark.parametrize(
    "text", ["*", "node1", "node1.lan.", "192.0.2.1", "::1", "10.0.0.0/255.0.0.0", "::/0", "@g", "*.lan", "gss/krb5"]
)
def test_clients_that_are_fine(text: str) -> None:
    assert check(text).text == text


def test_host_bits() -> None:
    assert str(host_bits("10.0.0.5/8")) == "10.0.0.0/8"
    assert host_bits("10.0.0.0/8") is None
    assert host_bits("10.0.0.5") is None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("10.0.0.0/8", "10.1.0.0/16", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "192.0.2.1", False),
        ("10.0.0.0/8", "2001:db8::/32", False),
        ("*", "node1", True),
        ("0.0.0.0/0", "@g", True),
        ("NODE1", "node1", True),
        ("node1", "10.0.0.0/8", False),
    ],
)
def test_overlap(one: str, other: str, expected: bool) -> None:
    assert overlap(classify(one), classify(other)) is expected
    assert overlap(classify(other), classify(one)) is expected


def test_covers_is_sure_or_says_no() -> None:
    assert covers(classify("10.0.0.0/8"), "10.0.0.5")
    assert covers(classify("*"), "anything")
    assert not covers(classify("10.0.0.0/16"), "10.0.0.0/8")
    assert not covers(classify("*.lan"), "node1.lan")
