"""Checks side by side: none harms another, all end in time, and nobody is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from berth.aio import command
from berth.doctor.known import find
from berth.doctor.run import Check, CouldNotLookError, run
from berth.findings.finding import Finding, Report, Subject, Unseen
from berth.kube.errors import Forbidden, Unreachable
from berth.texts.text import Text, same

Look = Callable[[str], AsyncIterator[Finding | Unseen]]


async def finds_two(context: str) -> AsyncIterator[Finding | Unseen]:
    yield find("volume-no-deleter", Subject("volume", context))
    yield find("shared-directory", others=("PV a", "PV b"), share="s:/x", volumes=("a", "b"))


async def crashes(_: str) -> AsyncIterator[Finding | Unseen]:
    yield find("volume-no-deleter", Subject("volume", "before the crash"))
    raise ZeroDivisionError("division by zero")


async def hangs(_: str) -> AsyncIterator[Finding | Unseen]:
    yield find("volume-no-deleter", Subject("volume", "before the silence"))
    await asyncio.Event().wait()


def fails_with(error: Exception) -> Look:
    async def look(_: str) -> AsyncIterator[Finding | Unseen]:
        raise error
        yield  # makes it a generator

    return look


def diagnose(*looks: Look, deadline: float = 5.0, each: float = 5.0, progress: Any = None) -> Report:
    checks = [Check(f"check-{number}", same(f"thing {number}"), look, each) for number, look in enumerate(looks)]
    return asyncio.run(run(checks, "pv1", deadline=deadline, progress=progress))


def test_the_worst_comes_first() -> None:
    found = diagnose(finds_two).findings
    assert [finding.id for finding in found] == ["shared-directory", "volume-no-deleter"]


def test_a_crash_costs_one_answer_and_keeps_what_was_found_before() -> None:
    report = diagnose(finds_two, crashes)
    assert len(report.findings) == 3
    (unseen,) = report.unseen
    assert unseen.check == "check-1"
    assert unseen.what.en == "thing 1"
    assert unseen.reason.en == "the check itself failed, which is a bug: ZeroDivisionError: division by zero"


def test_a_check_that_hangs_is_ended_at_its_deadline() -> None:
    report = diagnose(hangs, finds_two, each=0.05)
    assert [unseen.reason.en for unseen in report.unseen] == ["no answer within 0.05 s"]
    assert len(report.findings) == 3


def test_all_checks_end_at_the_common_deadline() -> None:
    report = diagnose(hangs, hangs, deadline=0.05)
    assert [unseen.reason.zh for unseen in report.unseen] == ["0.05 秒内没有应答"] * 2


def test_reasons_are_sentences() -> None:
    denied = Forbidden("list leases", 403, "Forbidden", 'leases is forbidden: User "x" cannot list')
    silent = Unreachable("list pods", "https://10.0.0.1:6443", "connection refused")
    sentence = CouldNotLookError(Text("not here", "不在这里"))
    errors = [denied, silent, sentence, FileNotFoundError(2, "No such file or directory", "/proc/x")]
    told = [unseen.reason.en for unseen in diagnose(*map(fails_with, errors)).unseen]
    assert told == [
        'not allowed: leases is forbidden: User "x" cannot list',
        "the API server https://10.0.0.1:6443 is unreachable: connection refused",
        "not here",
        "/proc/x: No such file or directory",
    ]


def test_of_several_errors_at_once_the_first_is_told() -> None:
    together = ExceptionGroup("unhandled errors in a TaskGroup", [CouldNotLookError(Text("not here", "不在这里"))])
    (unseen,) = diagnose(fails_with(together)).unseen
    assert unseen.reason.zh == "不在这里"


def test_a_program_that_is_missing_is_named() -> None:
    async def look(_: str) -> AsyncIterator[Finding | Unseen]:
        await command.run(["no-such-program"], deadline=1)
        yield Unseen(same("never"), same("never"))

    (unseen,) = diagnose(look).unseen
    assert "`no-such-program` could not be started" in unseen.reason.en


def test_a_check_may_tell_itself_what_it_could_not_see() -> None:
    async def look(_: str) -> AsyncIterator[Finding | Unseen]:
        yield Unseen(same("share a"), same("is down"))
        yield find("volume-no-deleter", Subject("volume", "x"))

    report = diagnose(look)
    assert report.unseen == (Unseen(same("share a"), same("is down"), "check-0"),)
    assert len(report.findings) == 1


def test_progress_is_told_at_every_change() -> None:
    told: list[tuple[int, int, Sequence[str]]] = []
    diagnose(finds_two, crashes, progress=lambda *step: told.append(step))
    assert told[0] == (0, 2, ("check-0", "check-1"))
    assert told[-1] == (2, 2, ())
    assert len(told) == 3


def test_cancelling_waits_for_every_check_to_put_its_things_away() -> None:
    tidied = []

    async def untidy(_: str) -> AsyncIterator[Finding | Unseen]:
        try:
            await asyncio.Event().wait()
            yield Unseen(same("never"), same("never"))
        finally:
            await asyncio.sleep(0)
            tidied.append("tidied")

    async def scene() -> None:
        checks = [Check(str(number), same("x"), untidy) for number in range(3)]
        job = asyncio.create_task(run(checks, "x"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        job.cancel()
        await asyncio.wait({job})
        assert job.cancelled()

    asyncio.run(scene())
    assert tidied == ["tidied"] * 3


def test_no_checks_is_a_healthy_report() -> None:
    assert diagnose() == Report()
    assert diagnose().exit_code == 0


def test_exit_codes() -> None:
    failure = find("volume-no-deleter", Subject("volume", "x"))
    warning = find("silly-renamed", file="/x")
    note = find("client-throttled", waited="1s")
    unseen = Unseen(same("x"), same("y"))
    codes = {
        (): 0,
        (note,): 0,
        (note, warning): 1,
        (warning, failure): 2,
    }
    assert [Report(found).exit_code for found in codes] == list(codes.values())
    assert [Report(found, (unseen,)).exit_code for found in codes] == [3, 3, 3, 2]
