"""One command on several hosts at once: what they say is shown as it comes, what they ask is asked once, an interrupt
goes to all of them, and the worst of their exit codes is the command's.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NoReturn

import click

from berth.cli.ending import (
    EXIT_BLIND,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    EXIT_WARNINGS,
    EXIT_WELL,
    end,
    ending,
    error_data,
    worst,
)
from berth.cli.hosts.screen import Screen
from berth.cli.manner import called
from berth.cli.output import ask, ask_secret, complain, print_data, say
from berth.cli.tables import print_table
from berth.findings.finding import Finding
from berth.operations.errors import Stopped
from berth.operations.remote.findings import Unreached
from berth.operations.remote.protocol import HELLO
from berth.operations.remote.secrets import Secrets
from berth.operations.remote.target import Target
from berth.operations.remote.work import Order, WorkThere, at_work, left_behind
from berth.texts.text import Language, Text

_HEADINGS = Text("HOST|RESULT", "主机|结果")
_RESULTS = {
    EXIT_WELL: Text("well", "正常"),
    EXIT_WARNINGS: Text("warnings, or not agreed to", "有警告，或未获同意"),
    EXIT_FAILED: Text("failed", "失败"),
    EXIT_BLIND: Text("could not be looked at", "未能检查"),
    EXIT_USAGE: Text("not understood", "用法错误"),
    EXIT_INTERRUPTED: Text("interrupted", "已中断"),
}
_ENDED = Text("exit code {}", "退出码 {}")
_COLOURS = {EXIT_WELL: "green", EXIT_WARNINGS: "yellow"}
_PASSED_ON = Text("passing the interrupt on to {}", "正在把中断转给 {}")
_INTERRUPTED = Text("interrupted; nothing was done on {}", "已中断；在 {} 上没有做任何事")
_PATIENCE = 2
"""Interrupts that are passed on, as Ctrl-C there would act; who sends more does not want to wait."""


def run_on(hosts: Sequence[Target], order: Order, output: str, lang: Language, *, may_ask: bool) -> NoReturn:
    """Runs the order on the hosts, and ends the process as they ended."""
    several = SideBySide(hosts, order, lang, is_told=output == "table", may_ask=may_ask)
    with ending(lang):
        codes = asyncio.run(several.run())
    code = worst(codes.values())
    if output == "table" and len(hosts) > 1:
        say()
        rows = [
            (called(name), (_RESULTS.get(each) or _filled(_ENDED, each)).said(lang)) for name, each in codes.items()
        ]
        print_table(_HEADINGS.said(lang).split("|"), rows, [_COLOURS.get(each, "red") for each in codes.values()])
    elif output != "table" and len(hosts) > 1:
        answers = [
            {"host": called(name), "exitCode": each, "answer": several.answer(name)} for name, each in codes.items()
        ]
        print_data(answers, output)
    elif output != "table":
        name = str(hosts[0])
        if name in several.failures:
            why, finding, reason = several.failures[name]
            end(why, code, finding=finding, reason=reason, lang=lang)
        print_data(several.answer(name), output)
    raise SystemExit(code)


class SideBySide:
    """The order on some hosts, while it runs there."""

    def __init__(self, hosts: Sequence[Target], order: Order, lang: Language, *, is_told: bool, may_ask: bool) -> None:
        """is_told: people are told what happens. may_ask: they may be asked for passwords."""
        self._hosts, self._order, self._lang, self._is_told = hosts, order, lang, is_told
        self._secrets = Secrets(self._ask_secret) if may_ask else None
        self._screen = Screen([str(each) for each in hosts])
        self._tasks: dict[str, asyncio.Task[int]] = {}
        self._works: dict[str, WorkThere] = {}
        self._questions: dict[str, tuple[str, bool]] = {}
        self._active = {str(each) for each in hosts}
        self._interrupts = 0
        self._passing: list[asyncio.Task[None]] = []
        self.failures: dict[str, tuple[Text, Finding | None, str]] = {}
        """Why there is no answer of a host: the sentence, its finding, and a word for programs."""

    def answer(self, name: str) -> object:
        """What a host has answered to programs, or why it has not."""
        if name in self.failures:
            why, finding, reason = self.failures[name]
            return error_data(why, self._tasks[name].result(), finding=finding, reason=reason)
        return self._screen.answers.get(name)

    async def run(self) -> Mapping[str, int]:
        """Runs it on all of them; the exit code of each."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        try:
            for host in self._hosts:
                self._tasks[str(host)] = asyncio.create_task(self._run(host), name=f"work on {host}")
            await asyncio.wait(self._tasks.values())
        finally:
            loop.remove_signal_handler(signal.SIGINT)
        return {name: task.result() for name, task in self._tasks.items()}

    async def _run(self, host: Target) -> int:
        name = str(host)
        try:
            return await self._work(host)
        except Stopped as error:
            code = EXIT_BLIND if isinstance(error, Unreached) else EXIT_FAILED
            return self._failed(name, code, error.text, error.finding, type(error).__name__)
        except (asyncio.CancelledError, click.Abort):
            if name in self._works:
                lost = left_behind(host)
                return self._failed(name, EXIT_INTERRUPTED, lost.text, lost.finding)
            return self._failed(name, EXIT_INTERRUPTED, _filled(_INTERRUPTED, name))
        finally:
            self._works.pop(name, None)
            self._questions.pop(name, None)
            self._screen.doing(name, "")
            self._active.remove(name)
            await self._ask_if_all_do()

    async def _work(self, host: Target) -> int:
        name = str(host)
        telling = at_work(
            host, self._order, self._secrets, lambda text: self._screen.doing(name, text.said(self._lang))
        )
        async with telling as work:
            self._works[name] = work
            async for kind, facts in work.records():
                if kind == HELLO:
                    self._screen.doing(name, "")
                elif kind == "ask":
                    self._questions[name] = (str(facts.get("question")), facts.get("on_stderr") is True)
                    await self._ask_if_all_do()
                else:
                    self._screen.show(name, kind, facts)
            return await work.code()

    def _failed(self, name: str, code: int, why: Text, finding: Finding | None = None, reason: str = "") -> int:
        self.failures[name] = (why, finding, reason)
        self._screen.doing(name, "")
        if self._is_told:
            complain(why.said(self._lang))
        return code

    async def _ask_if_all_do(self) -> None:
        """Asks once, when every host that is still at it waits for the answer."""
        if not self._questions or self._questions.keys() < self._active:
            return
        waiting, self._questions = self._questions, {}
        question, on_stderr = next(iter(waiting.values()))
        if len(self._hosts) > 1:
            question = f"{question} ({', '.join(waiting)})"
        try:
            with self._person():
                is_agreed = ask(question, on_stderr=on_stderr)
        except click.Abort:
            say(on_stderr=True)
            self._interrupt()
            return
        for work in [self._works[name] for name in waiting]:
            await work.answer(is_agreed)

    async def _ask_secret(self, question: Text) -> str:
        try:
            with self._person():
                return ask_secret(question.said(self._lang))
        except click.Abort:
            self._interrupt()
            raise

    @contextmanager
    def _person(self) -> Iterator[None]:
        """Within it a person is asked: all else waits, and Ctrl-C is an answer."""
        loop = asyncio.get_running_loop()
        loop.remove_signal_handler(signal.SIGINT)
        try:
            with self._screen.asking():
                yield
        finally:
            loop.add_signal_handler(signal.SIGINT, self._interrupt)

    def _interrupt(self) -> None:
        self._interrupts += 1
        told = []
        for name in self._active:
            work = self._works.get(name)
            if work is None or self._interrupts > _PATIENCE:
                self._tasks[name].cancel()
            else:
                self._passing.append(asyncio.create_task(work.interrupt(), name=f"interrupt of {name}"))
                told.append(name)
        if told and self._interrupts == 1 and self._is_told:
            complain(_filled(_PASSED_ON, ", ".join(told)).said(self._lang))


def _filled(text: Text, *facts: object) -> Text:
    return Text(text.en.format(*facts), text.zh.format(*facts))
