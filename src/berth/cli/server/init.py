"""`berth server init`: from a bare host to a verified share."""

from __future__ import annotations

import asyncio
import sys
from socket import gethostname

import click

from berth.cli.ending import EXIT_FAILED, EXIT_USAGE, EXIT_WARNINGS, EXIT_WELL, end, run
from berth.cli.hosts.options import HostCommand
from berth.cli.manner import language
from berth.cli.output import LANGUAGE, Styled, ask, complain, output_option, print_data, say
from berth.cli.server.answering import wanted_options
from berth.cli.server.report import exit_code, print_report
from berth.cli.tables import progress
from berth.cli.wrapping import is_terminal
from berth.doctor.share.probed import ShareReport
from berth.nfsserver.exports.wanted import WantedExport
from berth.nfsserver.setup.perform import Performed, check_root, perform, plan_for
from berth.nfsserver.setup.plan import InitPlan, InitStep, RunCommands
from berth.operations.share_out import verify_here
from berth.texts.command import command
from berth.texts.text import Language, Text

_PLAN = Text("To export {path}:", "要导出 {path}，需要：")
_NOTHING = Text("{path} is exported as wanted: nothing to do.", "{path} 已按要求导出，无需改动。")
_NOTES = Text("Good to know:", "请注意：")
_WARNING = Text("warning", "警告")
_DRY = Text("Nothing was done (--dry-run).", "未做任何改动（--dry-run）。")
_ASK = Text("Do it?", "执行吗？")
_NOT_DONE = Text("nothing was done; add --yes to do it", "未做任何改动；加上 --yes 才会执行")
_ENDING = Text(
    "letting {program} finish what must not stay half done; Ctrl-C again kills it",
    "正在等 {program} 完成不能中断的操作；再按一次 Ctrl-C 会强行终止它",
)
_DONE = Text("done", "完成")
_WARNED = Text("exportfs said", "exportfs 提示")
_LOOKING = Text("looking at it from the client's side", "正在从客户端一侧检查")
_SEEN = Text("Seen from the client's side:", "从客户端一侧看：")
_NOBODY = Text(
    "This host is none of the clients, so it can't try the share; on one of them: {command}",
    "本机不是客户端之一，无法在此验证；请在某个客户端上执行：{command}",
)


def init_command() -> click.Command:
    """The command with its options."""
    return HostCommand(
        "init",
        params=[
            click.Argument(["path"], metavar="PATH"),
            *wanted_options(),
            click.Option(["--yes"], is_flag=True, help="Do it without asking."),
            click.Option(["--dry-run"], is_flag=True, help="Show the plan and do nothing."),
            output_option(),
            LANGUAGE,
        ],
        callback=_init,
        short_help="Make this host an NFS server that exports PATH, and try it.",
        help="Make this host an NFS server that exports PATH, and try it.\n\n"
        "Shows what is missing (packages, directory, export, services), does it when told to, and then looks at the "
        "share as a client would. It can be repeated: what is as it should be is left alone, and so is every line of "
        "the exports files that Berth did not write. Exit code: 0 done and well, 1 not agreed to, or warnings, "
        "2 not possible, or the share can't be used, 3 it could not be tried to the end.",
    )


def _init(
    path: str,
    clients: tuple[str, ...],
    provisioners: tuple[str, ...],
    options: tuple[str, ...],
    yes: bool,
    dry_run: bool,
    output: str,
    lang: str | None,
) -> None:
    spoken = language(lang)
    wanted = WantedExport(path, clients, provisioners, options)
    plan = run(plan_for(wanted), spoken)
    as_json = output != "table"
    if not as_json:
        _print_plan(plan, spoken)
    if dry_run:
        if as_json:
            print_data(_answer(plan, [], None), output)
        else:
            say(_DRY.said(spoken))
        raise SystemExit(_code(plan, None))
    if not plan.is_empty and not _may(plan, yes, output, spoken):
        raise SystemExit(EXIT_WARNINGS)
    done = run(_perform(plan, quiet=as_json, lang=spoken), spoken)
    with progress(_LOOKING.said(spoken)):
        report = run(verify_here(path, (*provisioners, *clients)), spoken)
    if as_json:
        print_data(_answer(plan, done, report), output)
    else:
        _print_seen(path, report, spoken)
    raise SystemExit(_code(plan, report))


def _code(plan: InitPlan, report: ShareReport | None) -> int:
    """A host that can't serve is a failure, whatever else went well."""
    if plan.hindrance is not None:
        return EXIT_FAILED
    seen = exit_code(report) if report else EXIT_WELL
    return EXIT_WARNINGS if seen == EXIT_WELL and plan.warnings else seen


async def _perform(plan: InitPlan, *, quiet: bool, lang: Language) -> list[Performed]:
    done = []
    if not plan.is_empty:
        check_root()
    for step in plan.steps:
        with progress(step.summary.said(lang)):
            done.append(await _perform_one(step, lang))
        if not quiet:
            say(Styled(_DONE.said(lang), "green"), "  ", step.summary.said(lang))
            for warning in done[-1].warnings:
                say(f"      {_WARNED.said(lang)}: {warning}")
    if done and not quiet:
        say()
    return done


async def _perform_one(step: InitStep, lang: Language) -> Performed:
    """Does a step; whoever interrupts it is told when that takes a while."""
    working = asyncio.create_task(perform(step), name=f"perform {step.kind}")
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        if isinstance(step, RunCommands) and step.grace and not working.done():
            complain(_ENDING.said(lang).format(program=step.run[0].argv[0]))
        working.cancel()
        await working
        raise


def _may(plan: InitPlan, yes: bool, output: str, lang: Language) -> bool:
    """Whether the plan may be done: told so beforehand, or now. Ends the process where nobody can be asked."""
    if yes:
        return True
    if output != "table" or not is_terminal(sys.stdin):
        if output != "table":
            print_data(_answer(plan, [], None), output)
        end(_NOT_DONE, EXIT_USAGE, lang=lang)
    return ask(_ASK.said(lang))


def _print_plan(plan: InitPlan, lang: Language) -> None:
    if plan.is_empty:
        say(_NOTHING.said(lang).format(path=plan.path))
    else:
        say(Styled(_PLAN.said(lang).format(path=plan.path), "bold"))
    for number, step in enumerate(plan.steps, 1):
        say(f"{number}. ", Styled(step.summary.said(lang), "bold"))
        for reason in step.reasons:
            say(f"   {reason.said(lang)}")
        for each in step.commands:
            say(Styled("   $ ", "dim"), Styled(each, "dim"))
    for warning in (*plan.warnings, *([plan.hindrance] if plan.hindrance else ())):
        say()
        colon = "：" if lang == "zh" else ": "
        say(Styled(_WARNING.said(lang), "yellow"), colon, warning.said(lang))
    if plan.notes:
        say()
        say(Styled(_NOTES.said(lang), "bold"))
    for note in plan.notes:
        say(f"- {note.said(lang)}")
    say()


def _print_seen(path: str, report: ShareReport | None, lang: Language) -> None:
    if report is None:
        verify = command("berth server verify {host}:{path}", host=gethostname(), path=path)
        say(_NOBODY.said(lang).format(command=verify))
        return
    say(Styled(_SEEN.said(lang), "bold"))
    print_report(report, lang)


def _answer(plan: InitPlan, done: list[Performed], report: ShareReport | None) -> dict[str, object]:
    return {
        "path": plan.path,
        "plan": [step.as_dict() for step in plan.steps],
        "notes": [note.as_dict() for note in plan.notes],
        "warnings": [warning.as_dict() for warning in plan.warnings],
        "hindrance": plan.hindrance.as_dict() if plan.hindrance else None,
        "done": [{"kind": each.step.kind, "warnings": list(each.warnings)} for each in done],
        "verification": report.as_dict() if report else None,
    }
