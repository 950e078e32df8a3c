"""Records of a Berth that was started from afar: whatever else is on the line is none."""

from __future__ import annotations

import pytest

from berth.operations.remote.protocol import decode, encode


def test_a_record_is_one_line_and_comes_back() -> None:
    facts = {"parts": [["a\nb\x1e\x1b", "red", False]], "hang": None}
    line = encode("say", facts)
    assert line.isascii()
    assert "\n" not in line
    assert decode(line.encode() + b"\n") == ("say", facts)
    assert decode(b"greeting " + line.encode()) == ("say", facts)


DEEP = b"\x1e" + b"[" * 99999
NONE = [b"", b"\n", b"hello", b"\x1e", b"\x1e[]", b'\x1e["say"]', b'\x1e["say",[]]', b"\x1e[1,{}]", DEEP]


@pytest.mark.parametrize("line", NONE)
def test_what_is_none(line: bytes) -> None:
    assert decode(line) is None
