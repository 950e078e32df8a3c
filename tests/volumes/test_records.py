"""Records: what is written about a volume can be read again, and nothing else is ever believed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from berth.volumes.errors import Refused
from berth.volumes.naming import shorten, volume_path
from berth.volumes.records import Record, archived, decode, encode, now_text, record_of, record_of_released, released
from berth.volumes.request import Claim
from tests.volumes.builders import GIB, answer_of, plan, release_plan

MOMENT = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
TEXT = st.text(max_size=20)
NAMED = st.text(min_size=1, max_size=20)
PATHS = st.lists(st.text("ab.-é数 ", min_size=1, max_size=5), min_size=1, max_size=3).map(
    lambda parts: "/".join(shorten(f"v{part}") for part in parts)
)
RECORDS = st.builds(
    Record,
    cluster=NAMED,
    pv=NAMED,
    namespace=TEXT,
    claim=TEXT,
    claim_uid=TEXT,
    class_name=TEXT,
    path=PATHS,
    capacity=st.integers(),
    mode=TEXT,
    on_delete=st.sampled_from(["delete", "archive", "retain"]),
    provisioner=TEXT,
    created=TEXT,
    released=TEXT,
    archived=TEXT,
)


def fine() -> dict[str, object]:
    """A record's file, as a dictionary, that is fine as it is."""
    values: dict[str, object] = json.loads(encode(record_of(plan(), "cluster-1", now_text(MOMENT))))
    return values


def decode_values(values: object) -> Record:
    return decode(json.dumps(values).encode(), ".berth/volumes/x.json")


def test_a_record_says_whose_volume_it_is_and_what_becomes_of_it() -> None:
    born = plan(parameters={"directoryMode": "750", "onDelete": "delete"})
    assert json.loads(encode(record_of(born, "cluster-1", "2026-01-31T12:00:00Z"))) == {
        "format": 1,
        "cluster": "cluster-1",
        "pv": born.pv,
        "namespace": "team",
        "claim": "data",
        "claimUID": born.claim.uid,
        "class": "nfs",
        "path": born.path,
        "capacity": GIB,
        "mode": "0750",
        "onDelete": "delete",
        "provisioner": "nfs.berth.io",
        "created": "2026-01-31T12:00:00Z",
    }


def test_a_record_is_one_key_a_line_and_keeps_every_script() -> None:
    record = replace(decode_values(fine()), path="数据/卷")
    lines = encode(record).decode().splitlines()
    assert len(lines) == len(fine()) + 2
    assert ' "path": "数据/卷",' in lines


def test_the_owner_is_the_claim_with_its_uid() -> None:
    born = plan()
    assert decode_values(fine()).owner == Claim("team", "data", born.claim.uid)


def test_a_volume_without_a_record_gets_one_from_its_release() -> None:
    born = plan()
    record = record_of_released(release_plan(born, on_delete="delete"), "cluster-1")
    assert (record.cluster, record.pv, record.path, record.owner) == ("cluster-1", born.pv, born.path, born.claim)
    assert (record.on_delete, record.mode, record.capacity, record.created) == ("delete", "", 0, "")
    assert decode(encode(record), "x") == record


def test_moments_are_written_in_utc() -> None:
    assert now_text(MOMENT) == "2026-01-31T12:00:00Z"
    assert released(decode_values(fine()), MOMENT).released == "2026-01-31T12:00:00Z"
    assert archived(decode_values(fine()), MOMENT).archived == "2026-01-31T12:00:00Z"


@given(RECORDS)
def test_what_is_written_can_be_read_again(record: Record) -> None:
    assert decode(encode(record), "x") == record


def test_keys_of_a_later_berth_are_ignored() -> None:
    assert decode_values({**fine(), "colour": "blue"}) == decode_values(fine())


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"format": 2}, "newer Berth", id="a later format"),
        pytest.param({"format": None}, "no format version", id="no format"),
        pytest.param({"format": 0}, "no format version", id="a format that never was"),
        pytest.param({"format": True}, "no format version", id="a truth instead of a format"),
        pytest.param({"format": "1"}, "no format version", id="a text instead of a format"),
        pytest.param({"cluster": ""}, "cluster is missing", id="no cluster"),
        pytest.param({"pv": ""}, "pv is missing", id="no PV"),
        pytest.param({"path": ""}, "path is missing", id="no path"),
        pytest.param({"pv": 1}, "pv is not a text", id="a number instead of a text"),
        pytest.param({"claimUID": None}, "claimUID is not a text", id="nothing instead of a text"),
        pytest.param({"capacity": "1"}, "capacity is not a whole number", id="a text instead of a number"),
        pytest.param({"capacity": True}, "capacity is not a whole number", id="a truth instead of a number"),
        pytest.param({"capacity": 1.5}, "capacity is not a whole number", id="a fraction"),
        pytest.param({"onDelete": "burn"}, "onDelete 'burn'", id="an end that does not exist"),
        pytest.param({"class": "\ud800"}, "class holds half a character", id="half a character"),
        pytest.param({"path": "../x"}, "'..'", id="a path that leads out"),
        pytest.param({"path": "/"}, "begins with `/`", id="an absolute path"),
        pytest.param({"path": ".berth/volumes"}, ".berth", id="a path into Berth's own directory"),
        pytest.param({"path": "archived-x"}, "archived-", id="a path of an archive"),
    ],
)
def test_a_record_that_makes_no_sense_is_refused_by_file_and_reason(changes: dict[str, object], why: str) -> None:
    with pytest.raises(Refused) as refusal:
        decode_values({**fine(), **changes})
    assert refusal.value.field == ".berth/volumes/x.json"
    assert why in refusal.value.why


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe\x00", id="bytes that are no text"),
        pytest.param(b"{", id="half a file"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"[" * 100_000, id="nested without end"),
        pytest.param(b'{"format": ' + b"1" * 5000 + b"}", id="an endless number"),
    ],
)
def test_a_file_that_is_no_record_is_refused(content: bytes) -> None:
    with pytest.raises(Refused, match=r"^x: "):
        decode(content, "x")


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | TEXT, lambda inner: st.lists(inner))
KEYS = st.sampled_from(sorted(fine()))


@given(st.binary() | st.dictionaries(KEYS, JSON).map(lambda changes: json.dumps({**fine(), **changes}).encode()))
@example(b'{"format":1,"cluster":"c","pv":"p","onDelete":"delete","path":"\\ud800"}')
def test_whatever_a_file_holds_it_is_a_record_or_refused(content: bytes) -> None:
    record = answer_of(lambda: decode(content, "x"))
    if isinstance(record, Refused):
        assert record.field == "x"
    else:
        assert volume_path(record.path) == record.path
        assert decode(encode(record), "x") == record
