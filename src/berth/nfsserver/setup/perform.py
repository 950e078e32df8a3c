"""Does the steps of a plan. Each may be repeated; a step that fails says so, and the steps before it stay done."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from berth.aio import command
from berth.aio.command import PROGRAMS
from berth.nfsserver.errors import NotAllowed, StepFailed, told
from berth.nfsserver.exports.change import change_exports
from berth.nfsserver.exports.client_order import line_up
from berth.nfsserver.exports.survey import survey_host
from berth.nfsserver.exports.wanted import WantedExport
from berth.nfsserver.setup.init import plan_init
from berth.nfsserver.setup.machine import read_machine
from berth.nfsserver.setup.plan import InitPlan, InitStep, PrepareDirectory, RunCommands, WriteExports
from berth.nfsserver.setup.services import read_kernel
from berth.nfsserver.setup.walk import made_along
from berth.nfsserver.texts import say
from berth.texts.phrases import bilingual
from berth.texts.text import Text, same


@dataclass(frozen=True, slots=True)
class Performed:
    """What a step did, beyond what it was meant to: what exportfs said about other exports."""

    step: InitStep
    warnings: tuple[str, ...] = ()


async def plan_for(wanted: WantedExport) -> InitPlan:
    """The plan for this host as it is now. RequestRefused, naming the argument, when it can't be had."""
    files, facts = await survey_host((wanted.path,), (*wanted.clients, *wanted.provisioner))
    return plan_init(wanted, await read_machine(), facts, files)


def check_root() -> None:
    """NotAllowed unless this process is root, whom packages, owners and services take."""
    if uid := os.geteuid():
        raise NotAllowed(say("doing.init"), say("right.root", uid=uid))


async def perform(step: InitStep) -> Performed:
    """Does one step. StepFailed with what was said; RequestRefused, Busy, NotApplied from a change of the exports."""
    check_root()
    match step:
        case RunCommands():
            return await _run(step)
        case PrepareDirectory():
            return _prepare(step)
        case WriteExports():
            change = await change_exports(lambda file: line_up(file, step.path, step.clients))
            return Performed(step, change.warnings)
        case _:
            raise AssertionError(f"no such step: {step.kind}")


async def perform_all(plan: InitPlan) -> tuple[Performed, ...]:
    """Does all steps in their order; the first that fails ends it."""
    return tuple([await perform(step) for step in plan.steps])


async def _run(step: RunCommands) -> Performed:
    said = ""
    for each in step.run:
        try:
            result = await command.run(
                each.argv, deadline=step.deadline, grace=step.grace, env={"PATH": PROGRAMS, **dict(each.env)}
            )
        except command.CommandError as error:
            why = told(error) if error.stderr.strip() else _with_output(told(error), error.stdout)
            raise StepFailed(step.summary, why, stderr=error.stderr or error.stdout) from error
        said += result.stdout + result.stderr
    # Init scripts end well, too, when they have decided not to start anything.
    if step.kind == "services" and not (await read_kernel()).threads:
        raise StepFailed(step.summary, _with_output(say("not-applied.serves-nothing"), said), stderr=said)
    return Performed(step)


def _with_output(why: Text, output: str) -> Text:
    words = " ".join(output.split())[-400:]
    last = same(words) if words else say("not-applied.silent")
    return Text(f"{why.en}: {last.en}", f"{why.zh}：{last.zh}")


def _prepare(step: PrepareDirectory) -> Performed:
    try:
        handle = made_along(step.path)
        try:
            _check_is_meant(step, handle)
            os.fchown(handle, step.uid, step.gid)
            os.fchmod(handle, step.mode)
        finally:
            os.close(handle)
    except OSError as error:
        raise StepFailed(step.summary, bilingual(str(error))) from error
    return Performed(step)


def _check_is_meant(step: PrepareDirectory, handle: int) -> None:
    """StepFailed unless this is what the plan is about: whoever owns a parent can move directories into its place."""
    now = os.fstat(handle)
    is_done = (now.st_uid, now.st_gid, stat.S_IMODE(now.st_mode)) == (step.uid, step.gid, step.mode)
    is_meant = (now.st_dev, now.st_ino) == step.found if step.found else not os.listdir(handle)
    if not is_done and not is_meant:
        raise StepFailed(step.summary, say("not-applied.other-directory", path=step.path))
