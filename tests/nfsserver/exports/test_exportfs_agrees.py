"""What Berth understands is what the real exportfs reports, for a corpus of lines and for random ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from berth.nfsserver.exports.clients import classify
from berth.nfsserver.exports.installed import ask_installed
from berth.nfsserver.exports.parse import Export, parse_exports
from berth.nfsserver.exports.spelling import resolve, spell
from berth.nfsserver.exports.table import first_wins, show
from tests.nfsserver.corpus import LINES
from tests.nfsserver.room import Room, run_inside, unaccounted

pytestmark = pytest.mark.slow


def test_the_corpus_is_as_big_as_promised() -> None:
    assert len(LINES) >= 60


async def understood(content: bytes, unknown: frozenset[str] = frozenset()) -> list[str]:
    """What Berth makes of content, as `exportfs -v` would print it."""
    exports = parse_exports(content, unknown=unknown).exports
    spelled = spell(exports, await resolve(export.client for export in exports))
    return sorted(_printed(export) for export in first_wins(spelled) if is_a_network_if_it_has_to_be(export))


def is_a_network_if_it_has_to_be(export: Export) -> bool:
    """exportfs leaves out what it can't take for a network."""
    client = classify(export.client)
    return client.kind != "network" or client.network is not None or "/255.0.255.0" in client.text or ":" in client.text


def _printed(export: Export) -> str:
    return show(export).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


@pytest.mark.parametrize("content", [pytest.param(content, id=name) for name, content in LINES.items()])
async def test_one_of_the_corpus(room: Room, content: bytes) -> None:
    room.write(content)
    said = await room.exportfs("-ra")
    assert unaccounted(await room.shown(), await understood(content)) == "", said.stderr


@pytest.mark.parametrize("option", ["xprtsec=mtls", "reexport=auto-fsidnum", "security_label"])
async def test_an_option_of_a_newer_release_ends_its_reading_where_it_is_not_known(room: Room, option: str) -> None:
    reader = await ask_installed()
    assert reader is not None
    assert reader.release
    content = f"/srv 10.0.0.0/8(rw,{option})\n/tmp 10.0.0.0/8(rw)\n".encode()
    room.write(content)
    said = await room.exportfs("-ra")
    known = "/tmp" in "".join(await room.shown())
    assert known is (option.partition("=")[0] not in reader.unknown), said.stderr
    assert bool(await understood(content, reader.unknown)) is known


async def test_the_table_is_read_back_as_exportfs_reads_it(room: Room) -> None:
    lines = [line for name, line in LINES.items() if "octal read twice" not in name]
    for number, line in enumerate(lines):
        room.write(line, f"{number}.exports")
    await room.exportfs("-ra")
    live = [entry.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for entry in room.live()]
    assert unaccounted(await room.shown(), live) == ""
    assert len(live) > 40


WORDS = st.sampled_from(
    [
        *(b"/srv/a", b"/srv/b", b"/srv/\\040c", b"srv"),
        *(b"192.0.2.1", b"10.0.0.0/8", b"*", b"*.lan", b"@g", b"node1", b"nosuch"),
        *(b"-ro", b"-rw,async", b"-sec=krb5,rw"),
        *(b"(rw)", b"(ro,sync)", b"(sec=sys:krb5,rw,sec=none,ro)", b"(fsid=3)", b"(anonuid=7,all_squash)"),
        *(b"(oops)", b"(rw", b"#", b"# note", b'"', b'""', b"\\\n", b"\\", b"\n", b"\r\n", b"\0"),
    ]
)
BLANKS = st.sampled_from([b" ", b"", b"\t", b"  ", b"\n", b"\n"])
FILES = st.lists(st.tuples(WORDS, BLANKS), max_size=14).map(lambda parts: b"".join(a + b for a, b in parts))


@given(content=FILES)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_files(room: Room, content: bytes) -> None:
    # The table does not quote clients, nor an empty path (a quoted NUL), so such ones are others when it is read again.
    # Lint has findings for them.
    exports = parse_exports(content).exports
    assume(all(export.path and not set(export.client) & set(' \t\n"#\\') for export in exports))

    async def compare() -> None:
        room.write(content)
        said = await room.exportfs("-ra")
        assert unaccounted(await room.shown(), await understood(content)) == "", said.stderr

    run_inside(room, compare)


def test_nothing_is_left_of_a_room(room: Room) -> None:
    before = Path("/etc/exports").read_bytes(), Path("/var/lib/nfs/etab").read_bytes()

    async def change() -> None:
        room.write(b"/srv *(ro)\n")
        await room.exportfs("-ra")
        assert room.live()

    run_inside(room, change)
    assert (Path("/etc/exports").read_bytes(), Path("/var/lib/nfs/etab").read_bytes()) == before
