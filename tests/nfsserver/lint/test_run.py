"""Lint: every finding has a file that gives it, and good files give none."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.findings.entry import CatalogueEntry, CatalogueError, names
from berth.findings.finding import Finding, Where
from berth.findings.render import say_of_files
from berth.nfsserver.exports.facts import FileSystem, HostFacts, PathFacts
from berth.nfsserver.exports.installed import NfsUtils, of_release
from berth.nfsserver.exports.parse import parse_exports
from berth.nfsserver.exports.spelling import ResolvedHost
from berth.nfsserver.exports.table import parse_table
from berth.nfsserver.lint.finding import CATALOGUE, find
from berth.nfsserver.lint.lint_context import Need
from berth.nfsserver.lint.run import lint
from berth.texts.text import Language, Text

LANGUAGES: tuple[Language, ...] = ("en", "zh")
DISK = FileSystem("/", "ext4")
KNOWN = {
    "node1": ResolvedHost("node1.lan", frozenset({"192.0.2.11"})),
    "node1.lan": ResolvedHost("node1.lan", frozenset({"192.0.2.11"})),
    "nosuch": ResolvedHost("nosuch", frozenset()),
}


def place(path: str, **changes: object) -> PathFacts:
    """A directory of root's on a disk, fine in every way but those said."""
    fine = PathFacts(path, path, "directory", 0o755, 0, 0, False, mount=DISK)
    return replace(fine, **changes)  # type: ignore[arg-type]


PLACES = {
    each.path: each
    for each in (
        *(place(path) for path in ("/srv/a", "/srv/a/b", "/srv/c", "/srv/d")),
        place("/srv/mine", uid=65534, gid=65534),
        place("/srv/link", real="/data/link"),
        place("/srv/a/", real="/srv/a"),
        place("/etc"),
        place("/", mount=DISK),
        PathFacts("/mount/ksha3.2", "/mount/ksha3.2", "missing", mount=DISK, lookalikes=("/ksha3.2", "/mnt/ksha3.2")),
        PathFacts("/mount/demo", "/mount/demo", "missing", mount=DISK),
        PathFacts("srv/rel", "srv/rel", "missing"),
        PathFacts("", "", "missing"),
        place("/srv/file", kind="other"),
        place("/home/ubuntu/nfs/ks3.1", mode=0o777, parent="/home/ubuntu", parent_mode=0o750),
        place("/srv/sticky", mode=0o1777),
        place("/home/mallory/share", changeable="/home/mallory", changeable_mode=0o755, changeable_uid=1000),
        place("/srv/closed", mode=0o750),
        place("/srv/tmpfs", mount=FileSystem("/srv/tmpfs", "tmpfs")),
        place("/srv/overlay", mount=FileSystem("/", "overlay")),
        place("/srv/fuse", mount=FileSystem("/srv/fuse", "fuse.sshfs")),
        place("/srv/proc", mount=FileSystem("/srv/proc", "proc")),
        place("/srv/disks", below=(FileSystem("/srv/disks/one", "xfs"), FileSystem("/srv/disks/two", "xfs"))),
        place("/srv/disks/one", mount=FileSystem("/srv/disks/one", "xfs")),
        place("/srv/disks/two", mount=FileSystem("/srv/disks/two", "xfs")),
    )
}
FACTS = HostFacts(PLACES, KNOWN, machine_id="machine")


def found(text: str, facts: HostFacts = FACTS, *needs: Need) -> list[Finding]:
    return list(lint([parse_exports(text.encode(), "exports")], facts, needs))


def codes(text: str, facts: HostFacts = FACTS, *needs: Need) -> list[str]:
    return [finding.id for finding in found(text, facts, *needs)]


def line_of(finding: Finding) -> int:
    return finding.where.line if finding.where else 0


FINE = "(rw,sync,no_subtree_check)"
ONE = [
    ("unknown-option", "/srv/a node1(rw,no_rootsquash)"),
    ("unknown-option", "/srv/a node1(xyzzy)"),
    ("bad-option-value", "/srv/a node1(anonuid=nobody)"),
    ("bad-option-list", "/srv/a node1(rw"),
    ("bad-option-list", f"/srv/a node1{FINE}#note"),
    ("word-too-long", f"/srv/a node1({'rw,' * 200}rw)"),
    ("empty-path", '"" node1(rw)'),
    ("no-client-name", f"/srv/a {FINE} node1{FINE}"),
    ("no-options", "/srv/a node1"),
    ("contradiction", "/srv/a node1(rw,no_subtree_check,ro)"),
    ("obsolete-option", "/srv/a node1(rw,no_subtree_check,squash_uids=0-99)"),
    ("newer-option", "/srv/a node1(rw,no_subtree_check,xprtsec=tls)"),
    ("duplicate-client", f"/srv/a node1{FINE} node1.lan(ro,no_subtree_check)"),
    ("duplicate-client", f"/srv/a node1{FINE}\n/srv/a node1{FINE}"),
    ("shadowed-client", f"/srv/a 10.0.0.0/8{FINE} 10.1.0.0/16(rw,no_subtree_check,no_root_squash)"),
    ("shadowed-client", f"/srv/a 2001:db8::/32{FINE}\n/srv/a 2001:db8:1::/48(ro,no_subtree_check)"),
    ("other-brackets", "/srv/a node1[rw,sync]"),
    ("other-brackets", "/srv/a 10.0.0.0/8{rw,sync}"),
    ("address-range", f"/srv/a 10.0.0.1-10.0.0.9{FINE}"),
    ("bracketed-address", f"/srv/a [2001:db8::1]{FINE}"),
    ("comma-in-client", f"/srv/a node1,node2{FINE}"),
    ("bad-network", f"/srv/a 10.0.0/8{FINE}"),
    ("wildcard-on-address", f"/srv/a 192.168.1.*{FINE}"),
    ("bad-client", f"/srv/a no.de-{FINE}"),
    ("network-host-bits", f"/srv/a 10.0.0.5/8{FINE}"),
    ("unknown-host", f"/srv/a nosuch{FINE}"),
    ("gss-client", f"/srv/a gss/krb5{FINE}"),
    ("everybody-writes", f"/srv/a *{FINE}"),
    ("everybody-writes", f"/srv/a 0.0.0.0/0{FINE}"),
    ("everybody-root", "/srv/a *(rw,no_subtree_check,no_root_squash)"),
    ("everybody-root", "/srv/a ::/0(ro,no_subtree_check,no_root_squash)"),
    ("kerberos-only", "/srv/a *(rw,no_subtree_check,no_root_squash,sec=krb5)"),
    (
        "kerberos-only",
        "/srv/a node1(rw,no_subtree_check,sec=krb5i:krb5p)\n/srv/a 10.0.0.0/8(ro,no_subtree_check,sec=krb5)",
    ),
    ("everybody-root", "/srv/a *(rw,no_subtree_check,no_root_squash,sec=krb5:sys)"),
    ("insecure", "/srv/a node1(rw,no_subtree_check,insecure)"),
    ("async", "/srv/a node1(rw,no_subtree_check,async)"),
    ("subtree-check", "/srv/a node1(rw,subtree_check)"),
    ("subtree-unset", "/srv/a node1(rw)"),
    ("all-squash-anon", "/srv/a node1(rw,no_subtree_check,all_squash)"),
    ("all-squash-anon", "/srv/a node1(rw,no_subtree_check,all_squash,anonuid=1000)"),
    ("fsid-needed", f"/srv/tmpfs node1{FINE}"),
    ("fsid-needed", f"/srv/fuse node1{FINE}"),
    ("fsid-needed", f"/srv/overlay node1{FINE}"),
    ("fsid-duplicate", "/srv/a node1(ro,no_subtree_check,fsid=5)\n/srv/c node1(ro,no_subtree_check,fsid=5)"),
    ("fsid-duplicate", "/srv/a @g(ro,no_subtree_check,fsid=5)\n/srv/c node1(ro,no_subtree_check,fsid=5)"),
    ("fsid-differs", "/srv/a node1(ro,no_subtree_check,fsid=5) 192.0.2.0/24(ro,no_subtree_check,fsid=6)"),
    ("fsid-differs", "/srv/a node1(ro,no_subtree_check,fsid=5) *(ro,no_subtree_check)"),
    ("fsid-differs", "/srv/a *.lan(ro,no_subtree_check,fsid=5) @g(ro,no_subtree_check)"),
    ("fsid-zero", "/srv/a node1(ro,no_subtree_check,fsid=0)"),
    ("not-mounted", "/srv/a node1(rw,no_subtree_check,mountpoint)"),
    ("not-mounted", "/srv/a node1(rw,no_subtree_check,mp=/srv/d)"),
    ("path-not-normal", f"/srv/a/ node1{FINE}"),
    ("path-is-link", f"/srv/link node1{FINE}"),
    ("missing-directory", f"/mount/demo node1{FINE}"),
    ("missing-directory", f"/mount/ksha3.2 node1{FINE}"),
    ("relative-path", f'"\x00" node1{FINE}'),
    ("relative-path", f"srv/rel node1{FINE}"),
    ("not-a-directory", f"/srv/file node1{FINE}"),
    ("not-exportable", f"/srv/proc node1{FINE}"),
    ("system-exported", "/etc node1(ro,no_subtree_check)"),
    ("system-exported", "/ node1(ro,no_subtree_check)"),
    ("hidden-mounts", f"/srv/disks node1{FINE}"),
    ("overlapping-options", f"/srv/a node1(ro,no_subtree_check)\n/srv/a/b node1{FINE}"),
    ("overlapping-options", f"/srv/a 10.0.0.0/8(ro,no_subtree_check)\n/srv/a/b 10.1.2.3{FINE}"),
]


@pytest.mark.parametrize(("code", "text"), ONE, ids=[f"{code} {at}" for at, (code, _) in enumerate(ONE)])
def test_one_mistake_is_one_finding(code: str, text: str) -> None:
    assert codes(text) == [code]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("/srv/a node1 (rw,no_subtree_check)", ["blank-before-options"], id="the blank trap"),
        pytest.param("/srv/a", ["no-client"], id="a path alone"),
        pytest.param(
            f"/srv/a node1{FINE}\n/srv/a/ node1(ro,no_subtree_check)",
            ["duplicate-client", "path-not-normal"],
            id="one path, written in two ways",
        ),
        pytest.param(
            "/srv/a node1(rw, sync) @g(ro)", ["bad-option-list", "rest-unread", "subtree-unset"], id="a blank"
        ),
        pytest.param(f"/srv/a node1{FINE} -ro", ["no-client"], id="defaults at the end of a line"),
        pytest.param("/srv/a 10.0.0.0/8 rw,sync", ["options-as-client", "no-options"], id="parentheses forgotten"),
        pytest.param("/srv/a -ro -no_subtree_check node1", ["options-as-client"], id="two default words"),
        pytest.param("/home/mallory/share node1" + FINE, ["world-writable"], id="below what a user owns"),
        pytest.param(
            "/home/ubuntu/nfs/ks3.1 node1" + FINE, ["parent-not-searchable", "world-writable"], id="chmod 777"
        ),
        pytest.param(
            f"/srv/a node1{FINE}\n/srv/c node1(oops)\n/srv/d node1{FINE} @g{FINE}",
            ["unknown-option", "rest-unread"],
            id="a mistake in the middle",
        ),
        pytest.param(
            f"/srv/a node1{FINE}\r\n\r\n/srv/c node1{FINE}\r\n", ["carriage-return", "rest-unread"], id="windows"
        ),
        pytest.param(
            "/srv/a node1(ro,no_subtree_check,fsid=0)\n/srv/c node1(ro,no_subtree_check,fsid=root)",
            ["fsid-zero", "fsid-zero-twice"],
            id="two roots",
        ),
    ],
)
def test_mistakes_that_are_several(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


GOOD = {
    "nothing": "# a comment\n\n",
    "networks": f"/srv/a 10.0.0.0/8{FINE} 2001:db8::/32{FINE}",
    "init's own line": (
        "/srv/a 192.0.2.1(rw,sync,no_subtree_check,no_root_squash) 10.0.0.0/8(rw,sync,no_subtree_check,root_squash)"
    ),
    "a read-only mirror for everybody": "/srv/a *(ro,all_squash,no_subtree_check)",
    "defaults": "/srv/a -rw,sync,no_subtree_check node1 @g *.lan",
    "kerberos or not, read-only": "/srv/a *(ro,sec=krb5p:sys,no_subtree_check)",
    "rights by flavour": "/srv/a node1(no_subtree_check,sec=krb5,rw,sec=sys,ro)",
    "the same path on two lines": f"/srv/a node1{FINE}\n/srv/a @g(ro,no_subtree_check)",
    "nested, with the same rights": "".join(
        f"{path} node1{FINE} 10.0.0.0/8{FINE}\n" for path in ("/srv/a", "/srv/a/b")
    ),
    "narrow before wide": f"/srv/a 10.1.0.0/16(rw,no_subtree_check,no_root_squash) 10.0.0.0/8{FINE}",
    "narrow behind wide, alike": f"/srv/a 10.0.0.0/8{FINE} 10.1.0.0/16{FINE}",
    "a host behind its network": f"/srv/a 10.0.0.0/8{FINE} 10.1.0.5(rw,no_subtree_check,no_root_squash)",
    "nested, provisioner and nodes": (
        "/srv/a 10.0.0.1(rw,no_subtree_check,no_root_squash) 10.0.0.0/8(rw,no_subtree_check)\n"
        "/srv/a/b 10.0.0.1(rw,no_subtree_check,no_root_squash) 10.0.0.0/8(rw,no_subtree_check)"
    ),
    "nested, on another disk": f"/srv/disks node1(ro,no_subtree_check,crossmnt)\n/srv/disks/one node1{FINE}",
    "nested file systems, each exported": "".join(f"/srv/disks{part} node1{FINE}\n" for part in ("", "/one", "/two")),
    "nested, for different clients": f"/srv/a 192.0.2.1(ro,no_subtree_check)\n/srv/a/b 192.0.2.2{FINE}",
    "one user for all": "/srv/mine node1(rw,no_subtree_check,all_squash,anonuid=1000,anongid=1000)",
    "fsid where it is needed": "/srv/tmpfs node1(rw,no_subtree_check,fsid=1) @g(rw,no_subtree_check,fsid=1)",
    "different fsids": "/srv/a node1(ro,no_subtree_check,fsid=1)\n/srv/c node1(ro,no_subtree_check,fsid=2)",
    "one path, an fsid for each of two networks": (
        "/srv/a 10.141.0.0/16(ro,no_subtree_check,fsid=101)\n/srv/a 10.148.0.0/16(ro,no_subtree_check,fsid=102)"
    ),
    "one path, an fsid for one of two networks": (
        "/srv/a node1(ro,no_subtree_check,fsid=5) 10.0.0.0/8(ro,no_subtree_check)"
    ),
    "one fsid, for each of two networks": (
        "/srv/a 10.1.0.0/16(ro,no_subtree_check,fsid=5)\n/srv/c 2001:db8::/32(ro,no_subtree_check,fsid=5)"
    ),
    "a mount point that is one": "/srv/disks/one node1(rw,no_subtree_check,mountpoint)",
    "continued and quoted": '"/srv/a" \\\n  node1(rw,no_subtree_check) # note\n',
    "sticky, as /tmp is": f"/srv/sticky node1{FINE}",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD.keys())
def test_good_files_give_no_findings(text: str) -> None:
    assert found(text) == []


def test_the_exports_of_the_guide() -> None:
    """What a well-known guide tells people to write, on a host where they did what it tells them."""
    text = (
        "/home/ubuntu/nfs/ks3.1 *(rw,sync,no_subtree_check)\n"
        "/mount/ksha3.2 *(rw,sync,no_subtree_check)\n"
        "/mount/demo *(rw,sync,no_subtree_check)\n"
        "#/mnt/ks3.2 139.198.186.39(insecure,rw,sync,anonuid=500,anongid=500)\n"
    )
    results = found(text)
    assert [(line_of(finding), finding.id) for finding in results] == [
        (1, "everybody-writes"),
        (1, "parent-not-searchable"),
        (1, "world-writable"),
        (2, "missing-directory"),
        (2, "everybody-writes"),
        (3, "missing-directory"),
        (3, "everybody-writes"),
    ]
    missing = next(finding for finding in results if line_of(finding) == 2)
    assert missing.seen.en == "/mount/ksha3.2 does not exist; this does: /ksha3.2, /mnt/ksha3.2"
    assert "`/ksha3.2`" in missing.do.en
    assert "/mount/ksha3.2 不存在" in missing.seen.zh


@pytest.mark.parametrize(
    ("clients", "severity"),
    [
        pytest.param(("10.0.0.0/8", "10.1.0.0/16"), "failure", id="networks that overlap"),
        pytest.param(("2001:db8::/32", "2001:db8::1"), "failure", id="a host in a network"),
        pytest.param(("node1", "192.0.2.11"), "failure", id="a host, and its address"),
        pytest.param(("*.lan", "192.0.2.0/24"), "note", id="names may be anybody's"),
        pytest.param(("10.0.0.0/8", "192.0.2.0/24"), None, id="networks apart"),
        pytest.param(("node1", "192.0.2.12"), None, id="hosts apart"),
        pytest.param(("10.0.0.0/8", "2001:db8::/32"), None, id="IPv4 and IPv6"),
    ],
)
def test_fsids_are_judged_for_each_client(clients: tuple[str, str], severity: str | None) -> None:
    one, other = clients
    texts = (
        f"/srv/a {one}(ro,no_subtree_check,fsid=5) {other}(ro,no_subtree_check,fsid=6)",
        f"/srv/a {one}(ro,no_subtree_check,fsid=5)\n/srv/c {other}(ro,no_subtree_check,fsid=5)",
        f"/srv/a {one}(ro,no_subtree_check,fsid=0)\n/srv/c {other}(ro,no_subtree_check,fsid=root)",
    )
    for text in texts:
        about_fsids = [each.severity for each in found(text) if each.id.startswith("fsid-") and each.id != "fsid-zero"]
        assert about_fsids == ([severity] if severity else [])


def test_two_roots_for_clients_that_never_meet_are_two_notes() -> None:
    text = "/srv/a 10.0.0.0/8(ro,no_subtree_check,fsid=0)\n/srv/c 192.0.2.0/24(ro,no_subtree_check,fsid=0)"
    assert codes(text) == ["fsid-zero", "fsid-zero"]


def test_who_removes_the_root_is_told_what_breaks() -> None:
    below = "/srv/a/b 10.0.0.0/8(ro,no_subtree_check)"
    (finding,) = found(f"/srv/a 10.0.0.0/8(ro,no_subtree_check,crossmnt,fsid=0)\n{below}")
    for language in LANGUAGES:
        assert "server:/b" in finding.do.said(language)
        assert "kubectl get pv -o custom-columns=" in finding.do.said(language)


OLD, NEW = (replace(FACTS, nfs_utils=of_release(release)) for release in ("1.3.4", "2.8.1"))


@pytest.mark.parametrize(
    "option", ["xprtsec=mtls", "xprtsec=none:tls", "reexport=auto-fsidnum", pytest.param("security_label", id="label")]
)
def test_an_option_that_the_installed_exportfs_does_not_know(option: str) -> None:
    """It stops there, and the next line is lost."""
    text = f"/srv/a 10.0.0.0/8(rw,sync,no_subtree_check,{option})\n/srv/c 10.0.0.0/8{FINE}"
    file = parse_exports(text.encode(), "exports", unknown=of_release("1.3.4").unknown)
    results = lint([file], OLD)
    assert [(finding.id, line_of(finding)) for finding in results] == [("unknown-option", 1), ("rest-unread", 1)]
    assert "1.3.4" in results[0].seen.en
    assert results[1].facts["lost"] == 1
    newer = parse_exports(text.encode(), "exports", unknown=of_release("2.8.1").unknown)
    assert lint([newer], NEW) == ()


def test_an_option_that_a_distribution_has_taken_into_an_older_release_is_known() -> None:
    text = "/srv/a 10.0.0.0/8(rw,sync,no_subtree_check,xprtsec=mtls)"
    assert lint([parse_exports(text.encode(), "exports")], replace(FACTS, nfs_utils=NfsUtils("2.5.4"))) == ()


def test_what_was_explained_once_is_not_explained_again() -> None:
    text = "".join(f"/srv/{name} *(rw,sync,no_subtree_check,insecure)\n" for name in "acd")
    lines = [line.text for line in say_of_files(found(text), "en", Text("", ""))]
    assert sum("everybody-writes" in line for line in lines) == 3
    assert sum(line.startswith("  Whoever reaches this server") for line in lines) == 1
    assert sum("→ Remove `insecure`" in line for line in lines) == 1
    several = "/srv/a 10.0.0.5/8(ro,no_subtree_check)\n/srv/c 172.16.0.9/12(ro,no_subtree_check)"
    lines = [line.text for line in say_of_files(found(several), "en", Text("", ""))]
    assert [line for line in lines if "matches all of" in line] == ["  It matches all of 10.0.0.0/8, not one host."]
    assert sum("if the network is meant" in line for line in lines) == 2  # each cure names what is to be written


NEED = Need("/srv/a", "192.0.2.11")


def test_an_export_for_tickets_only_is_not_everybodys_and_says_what_a_provisioner_needs() -> None:
    star = "/srv/a *(rw,sync,no_subtree_check,sec=krb5,fsid=0,no_root_squash)\n"
    assert "everybody-root" not in codes(star)
    (note,) = [each for each in found(star) if each.id == "kerberos-only"]
    assert (note.severity, "sec=krb5" in note.seen.en, "rpc.gssd" in note.why.zh) == ("note", True, True)
    (finding,) = found("/srv/a 192.0.2.0/24(rw,sync,no_subtree_check,sec=krb5p)\n", FACTS, NEED)
    assert "192.0.2.11 gets in with a Kerberos ticket only (sec=krb5p)" in finding.seen.en
    cure = "`berth server export add /srv/a --provisioner 192.0.2.11 --option sec=sys`"
    assert cure in finding.do.en
    assert cure in finding.do.zh


def test_who_comes_as_nobody_needs_no_ticket() -> None:
    assert codes("/srv/a node1(rw,no_subtree_check,sec=none)") == []


def test_options_with_semicolons_want_commas() -> None:
    (finding,) = found("/srv/a node1(rw;sync)")
    assert (finding.id, finding.do.en, finding.do.zh) == ("unknown-option", "Write commas.", "请用逗号分隔。")


@pytest.mark.parametrize(
    ("text", "need", "expected"),
    [
        pytest.param("/srv/c @g(ro,no_subtree_check)", NEED, ["not-exported"], id="not exported"),
        pytest.param("/srv/c @g(ro,no_subtree_check)", Need("/srv/a"), ["not-exported"], id="not exported to anybody"),
        pytest.param("/srv/a 10.0.0.0/8(ro,no_subtree_check)", NEED, ["not-exported"], id="exported to others"),
        pytest.param("/srv/a @g(ro,no_subtree_check)", NEED, [], id="a netgroup that it may be in"),
        pytest.param("/srv/a 192.0.2.0/24(ro,no_subtree_check,no_root_squash)", NEED, ["read-only"], id="read-only"),
        pytest.param("/srv/a 192.0.2.0/24" + FINE, NEED, ["provisioner-squashed"], id="root is squashed"),
        pytest.param(
            "/srv/a 192.0.2.0/24(rw,no_subtree_check) 192.0.2.11(rw,no_subtree_check,no_root_squash)",
            NEED,
            [],
            id="the host counts, not its network",
        ),
        pytest.param("/srv/mine 192.0.2.0/24" + FINE, Need("/srv/mine"), [], id="squashed, and the owner"),
        pytest.param(
            "/srv/a 192.0.2.0/24(rw,no_subtree_check,sec=krb5p)", NEED, ["provisioner-kerberos"], id="tickets only"
        ),
        pytest.param(
            "/srv/mine *(rw,no_subtree_check,sec=krb5,no_root_squash)",
            Need("/srv/mine"),
            ["provisioner-kerberos"],
            id="tickets only, for everybody",
        ),
        pytest.param(
            "/srv/a *(rw,no_subtree_check,sec=krb5p) 192.0.2.11(rw,no_subtree_check,no_root_squash,sec=sys)",
            NEED,
            [],
            id="tickets, and sec=sys for the provisioner alone",
        ),
        pytest.param(
            "/srv/a 192.0.2.11(rw,no_subtree_check,no_root_squash,sec=krb5:sys)", NEED, [], id="tickets or none"
        ),
        pytest.param(
            "/srv/a 192.0.2.11(no_subtree_check,no_root_squash,sec=krb5,rw,sec=sys,ro)",
            NEED,
            ["read-only"],
            id="read-only without a ticket",
        ),
        pytest.param(
            "/srv/closed node1(rw,no_subtree_check,no_root_squash)",
            Need("/srv/closed"),
            ["closed-to-pods"],
            id="closed",
        ),
        pytest.param(
            "/srv/a node1(rw,no_subtree_check,no_root_squash) @g(ro,no_subtree_check)",
            Need("/srv/a"),
            [],
            id="anywhere",
        ),
    ],
)
def test_what_a_provisioner_needs(text: str, need: Need, expected: list[str]) -> None:
    assert codes(text, FACTS, need) == expected


def test_files_and_live_table_are_compared() -> None:
    table = parse_table(b"/srv/a\tnode1.lan(rw,sync)\n/srv/c\t@g(rw)\n/srv/d\t*(ro)\n")
    facts = replace(FACTS, live=table)
    text = (
        "/srv/a node1(rw,sync,no_subtree_check)\n/srv/c @g(ro,no_subtree_check)\n/srv/mine node1(rw,no_subtree_check)\n"
        "/srv/c nosuch(ro,no_subtree_check)\n"
    )
    assert [(finding.id, finding.facts["path"]) for finding in found(text, facts)] == [
        ("live-differs", "/srv/c"),
        ("not-live", "/srv/mine"),
        ("unknown-host", "/srv/c"),
        ("only-live", "/srv/d"),
    ]


def test_nfsv4_clients_need_a_way_down() -> None:
    facts = replace(FACTS, root=FileSystem("/", "overlay"))
    text = f"/srv/a node1{FINE}\n/srv/c node1{FINE}"
    assert codes(text, facts) == ["no-nfsv4-tree"]
    assert codes("/srv/a node1(rw,no_subtree_check,fsid=0)", facts) == ["fsid-zero"]


def test_files_that_are_not_read_are_named() -> None:
    (finding,) = found("", replace(FACTS, ignored=("/etc/exports.d/k8s.conf",)))
    assert (finding.id, finding.where) == ("ignored-file", Where("/etc/exports.d/k8s.conf"))


def test_duplicates_are_found_across_files() -> None:
    files = [parse_exports(f"/srv/a node1{FINE}".encode(), name) for name in ("one", "two")]
    (finding,) = lint(files, FACTS)
    assert (finding.where, finding.id) == (Where("two", 1), "duplicate-client")
    assert "one:1" in finding.seen.en


@given(text=st.text('/srvac nodeg1*@()-,=#\\"\n\t', max_size=120))
def test_any_file_can_be_linted(text: str) -> None:
    for finding in found(text, replace(FACTS, live=())):
        json.dumps(finding.as_dict())


def test_every_finding_is_tried_here() -> None:
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert CATALOGUE.entries.keys() <= set(re.findall(r'"([a-z0-9-]+)"', tests))


SAID = {
    f"{id}.{name}": entry.variant(name) for id, entry in CATALOGUE.entries.items() for name in entry.variants or [""]
}


@pytest.mark.parametrize("entry", SAID.values(), ids=SAID)
def test_both_languages_say_the_same(entry: CatalogueEntry) -> None:
    assert entry.why
    for variant in (*entry.seen, *entry.why, *entry.cure):
        named = {language: names(variant.text.said(language)) for language in LANGUAGES}
        # A reason that is a piece of English is told in English only.
        assert named["en"] - {"why"} == named["zh"] - {"why"}
        assert entry.facts is not None
        assert named["en"] <= entry.facts
        assert re.search(r"[一-鿿]|^`", variant.text.zh)
        assert not re.search(r"[一-鿿]", variant.text.en)


@pytest.mark.parametrize(
    ("variant", "facts"),
    [
        pytest.param("", {"kind": "tmpfs", "suggestion": "1"}, id="no variant"),
        pytest.param("disk", {"kind": "tmpfs", "suggestion": "1"}, id="an unknown one"),
        pytest.param("any", {"kind": "tmpfs"}, id="a fact is missing"),
        pytest.param("any", {"kind": "tmpfs", "suggestion": "1", "hint": "2"}, id="a fact that is not declared"),
    ],
)
def test_a_rule_that_finds_what_is_not_described_is_an_error(variant: str, facts: dict[str, Any]) -> None:
    with pytest.raises(CatalogueError):
        find("fsid-needed", variant=variant, client="*", **facts)
