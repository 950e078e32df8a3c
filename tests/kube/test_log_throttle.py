"""The log stays readable while an outage hits thousands of keys again and again."""

from __future__ import annotations

import asyncio

from berth.kube.log_throttle import LogThrottle
from tests.aio.virtual_time import run_virtual


def test_the_same_text_of_a_key_is_news_once_an_hour_and_after_it_was_well() -> None:
    async def main() -> None:
        throttle = LogThrottle()
        assert throttle.worth_logging("a", "share is down") == 0
        await asyncio.sleep(300)
        assert throttle.worth_logging("a", "share is down") is None
        assert throttle.worth_logging("a", "permission denied") == 0
        assert throttle.worth_logging("a", "share is down") == 0
        await asyncio.sleep(3600)
        assert throttle.worth_logging("a", "share is down") == 0
        throttle.forget("a")
        assert throttle.worth_logging("a", "share is down") == 0

    run_virtual(main())


def test_one_text_for_thousands_of_keys_is_ten_lines_a_minute_and_the_rest_is_counted() -> None:
    async def main() -> None:
        throttle = LogThrottle()
        answers = [throttle.worth_logging(f"claim-{number}", "share is down") for number in range(1000)]
        assert answers == [0] * 10 + [None] * 990
        await asyncio.sleep(61)
        assert throttle.worth_logging("claim-1000", "share is down") == 990
        assert throttle.worth_logging("claim-1001", "share is down") == 0

    run_virtual(main())


def test_a_key_that_fails_in_ever_new_words_is_ten_lines_and_then_one_a_minute() -> None:
    async def main() -> None:
        throttle = LogThrottle()
        said = [throttle.worth_logging("claim", f"text {number}") for number in range(1000)]
        assert said == [0] * 10 + [None] * 990
        await asyncio.sleep(61)
        assert throttle.worth_logging("claim", "news") == 0
        assert throttle.worth_logging("claim", "more news") is None

    run_virtual(main())


def test_what_is_remembered_is_bounded_however_many_keys_and_texts_there_are() -> None:
    async def main() -> None:
        throttle = LogThrottle(most=100)
        for number in range(10_000):
            assert throttle.worth_logging(f"claim-{number}", f"text {number}") == 0
        assert len(throttle) == 100

    run_virtual(main())
