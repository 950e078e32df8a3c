"""One setting at a time: what is accepted, what is refused with which words, and which of flag and variable counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from berth.settings.errors import SettingError
from berth.settings.values import Setting, SettingSource, address, boolean, choice, count, seconds, text

WORKERS = Setting("workers", "BERTH_WORKERS", 4, count(1, 256), "How many.")


@pytest.mark.parametrize(
    ("environ", "flags", "expected"),
    [
        pytest.param({}, {}, 4, id="the default when nothing is set"),
        pytest.param({"BERTH_WORKERS": "8"}, {}, 8, id="the variable before the default"),
        pytest.param({"BERTH_WORKERS": "8"}, {"workers": "16"}, 16, id="the flag before the variable"),
        pytest.param({"BERTH_WORKERS": "many"}, {"workers": "16"}, 16, id="a variable hidden by a flag is not read"),
        pytest.param({"BERTH_WORKERS": ""}, {}, 4, id="an empty variable counts as not set"),
    ],
)
def test_which_value_counts(environ: dict[str, str], flags: dict[str, str], expected: int) -> None:
    assert SettingSource(environ, flags).read(WORKERS) == expected


@pytest.mark.parametrize(
    ("environ", "flags", "named"),
    [
        pytest.param({"BERTH_WORKERS": "many"}, {}, "BERTH_WORKERS", id="the variable, when it held the text"),
        pytest.param({"BERTH_WORKERS": "8"}, {"workers": "many"}, "--workers", id="the flag, when it held the text"),
        pytest.param({"BERTH_WORKERS": "8"}, {"workers": ""}, "--workers", id="an empty flag is what it says"),
    ],
)
def test_the_error_names_where_the_text_was_written(environ: dict[str, str], flags: dict[str, str], named: str) -> None:
    with pytest.raises(SettingError) as caught:
        SettingSource(environ, flags).read(WORKERS)
    assert caught.value.setting == named
    assert str(caught.value) == f"{named}: {caught.value.why}"
    assert "from 1 to 256" in caught.value.why


@pytest.mark.parametrize(
    ("parse", "value", "expected"),
    [
        (text, " as it is ", " as it is "),
        (boolean, "true", True),
        (boolean, "1", True),
        (boolean, "T", True),
        (boolean, "False", False),
        (boolean, "0", False),
        (count(1, 256), "1", 1),
        (count(1, 256), "256", 256),
        (count(1, 256), "007", 7),
        (seconds(0.5, 600), "15s", 15.0),
        (seconds(0.5, 600), "500ms", 0.5),
        (seconds(0.5, 600), "2m", 120.0),
        (seconds(0.5, 3600), "1h", 3600.0),
        (seconds(0.5, 600), "15", 15.0),
        (seconds(0.5, 600), "1.5s", 1.5),
        (choice("human", "json"), "json", "json"),
        (address, "127.0.0.1:8080", ("127.0.0.1", 8080)),
        (address, ":8080", ("0.0.0.0", 8080)),
        (address, "[::1]:8080", ("::1", 8080)),
        (address, "[::]:0", ("::", 0)),
        (address, "metrics.example:65535", ("metrics.example", 65535)),
    ],
)
def test_what_is_accepted(parse: Callable[[str], Any], value: str, expected: object) -> None:
    assert parse(value) == expected


@pytest.mark.parametrize(
    ("parse", "value", "expected"),
    [
        (boolean, "yes", 'expected "true" or "false", got \'yes\''),
        (boolean, "TrUe", '"true" or "false"'),
        (boolean, "", '"true" or "false"'),
        (count(1, 256), "0", "from 1 to 256"),
        (count(1, 256), "257", "from 1 to 256"),
        (count(1, 256), "-1", "from 1 to 256"),
        (count(1, 256), "1e2", "from 1 to 256"),
        (count(1, 256), "²", "from 1 to 256"),
        (count(1, 256), "1" * 5000, "from 1 to 256"),
        (count(1, 256), "100000000000000", "from 1 to 256"),
        (seconds(0.5, 600), "0.4s", "from 0.5s to 600s"),
        (seconds(0.5, 600), "11m", "from 0.5s to 600s"),
        (seconds(0.5, 600), "nan", "from 0.5s to 600s"),
        (seconds(0.5, 600), "inf", "from 0.5s to 600s"),
        (seconds(0.5, 600), "-1s", "from 0.5s to 600s"),
        (seconds(0.5, 600), "s", "from 0.5s to 600s"),
        (seconds(0.5, 600), "5 minutes", "such as 15s or 2m, got '5 minutes'"),
        (choice("human", "json"), "xml", "expected one of human, json, got 'xml'"),
        (address, "8080", "expected host:port"),
        (address, "127.0.0.1:", "expected host:port"),
        (address, "127.0.0.1:http", "expected host:port"),
        (address, "127.0.0.1:65536", "expected host:port"),
        (address, "127.0.0.1:-1", "expected host:port"),
        (address, "127.0.0.1:" + "9" * 5000, "expected host:port"),
        (address, "::1:8080", "needs brackets, as in [::1]:8080"),
    ],
)
def test_what_is_refused(parse: Callable[[str], Any], value: str, expected: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is checked below
        parse(value)
    assert expected in str(caught.value)
