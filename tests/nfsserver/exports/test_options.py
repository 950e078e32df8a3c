"""Options: what is in effect, what exportfs refuses, and what is meant by what is misspelt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.nfsserver.exports.flags import SWITCHES, VARYING, Flag
from berth.nfsserver.exports.options import BadOption, Options, nearest, parse, split
from berth.nfsserver.exports.table import brief, report

LISTS = st.lists(
    st.sampled_from([*SWITCHES, "anonuid=5", "fsid=7", "sec=sys", "sec=krb5:krb5i", "mp", "refer=/a@b"]), max_size=8
)


def test_the_defaults_are_those_of_nfs_utils() -> None:
    assert report(parse(())) == "sync,wdelay,hide,no_subtree_check,sec=sys,ro,root_squash,no_all_squash"


@given(words=LISTS)
def test_what_is_reported_means_the_same(words: list[str]) -> None:
    options = parse(words)
    # subtree_check, alone, is not said by exportfs -v.
    extra = [] if options.flags & Flag.NO_SUBTREE_CHECK else ["subtree_check"]
    again = parse([*report(options, VARYING | Flag.INSECURE).split(","), *extra])
    assert again.canonical() == options.canonical()


@given(words=LISTS)
def test_an_option_said_twice_says_nothing_new(words: list[str]) -> None:
    assert parse([*words, *words]).flags == parse(words).flags or any(word.startswith("sec") for word in words)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("no_rootsquash", "no_root_squash"),
        ("norootsquash", "no_root_squash"),
        ("no_subtree_chek", "no_subtree_check"),
        ("nosubtreecheck", "no_subtree_check"),
        ("readonly", ""),
        ("asynch", "async"),
        ("anon_uid=5", "anonuid=5"),
        ("RW", "rw"),
        ("xyzzy", ""),
        ("", ""),
    ],
)
def test_the_nearest_known_option(word: str, meant: str) -> None:
    assert nearest(word) == meant
    with pytest.raises(BadOption) as caught:
        parse([word])
    assert caught.value.nearest == meant


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rw,sync", ("rw", "sync")),
        ("", ()),
        ("  ", ()),
        ("rw,", ("rw",)),
        ("rw, \tsync", ("rw", "sync")),
        ("rw,,sync", ("rw", "", "sync")),
        (",", ("",)),
    ],
)
def test_lists_are_taken_apart_at_commas(text: str, words: tuple[str, ...]) -> None:
    assert split(text) == words


def test_flags_of_a_flavour_are_its_own() -> None:
    options = parse(["sec=krb5", "rw", "sec=sys", "ro", "all_squash"])
    krb5, system = options.flavours
    assert not krb5.flags & Flag.READ_ONLY
    assert system.flags & Flag.ALL_SQUASH
    assert options.has(Flag.ALL_SQUASH)
    assert options.lacks(Flag.ALL_SQUASH)


def test_a_newer_nfsd_lets_ports_differ_too() -> None:
    words = ["sec=krb5"]
    start = parse(words)
    assert report(parse(["insecure"], start)) == report(start)
    newer = VARYING | Flag.INSECURE
    assert "secure" in report(parse(["insecure"], start, newer), newer).split(",")


def test_options_of_newer_releases_are_no_difference() -> None:
    assert parse(["rw", "xprtsec=tls"]) == parse(["rw"])
    assert parse(["xprtsec=tls"]).newer == ("xprtsec=tls",)


def test_brief_says_what_is_unusual_and_always_the_rights() -> None:
    assert brief(Options()) == "ro,root_squash"
    assert brief(parse(["rw", "no_root_squash", "async", "insecure", "fsid=3"])) == (
        "async,fsid=3,rw,insecure,no_root_squash"
    )
