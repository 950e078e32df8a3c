"""`berth server lint` and `berth server status`."""

from __future__ import annotations

from pathlib import Path

import click

from berth.cli.diagnosis import print_lines
from berth.cli.ending import EXIT_FAILED, EXIT_WARNINGS, EXIT_WELL, ending, run
from berth.cli.hosts.options import HostCommand
from berth.cli.manner import language
from berth.cli.output import LANGUAGE, Part, Styled, output_option, print_data, say
from berth.cli.server.exports import print_exports
from berth.findings.finding import Finding, Report
from berth.findings.render import say_of_files
from berth.nfsserver.exports.installed import of_release
from berth.nfsserver.lint.lint_context import Need
from berth.nfsserver.lint.run import lint_file, lint_host
from berth.nfsserver.setup.services import start_commands
from berth.nfsserver.setup.status import ServerStatus, read_status
from berth.texts.text import Language, Text

_CLEAN = Text("No findings.", "没有发现问题。")
_LIVE_ONLY = Text("live exports", "已生效的导出")
_VERDICTS = {
    "serving": Text("serving", "正在提供服务"),
    "nothing exported": Text("running, but nothing is exported", "已运行，但没有任何导出"),
    "not serving": Text("not running", "没有运行"),
    "no kernel server": Text("not possible: this kernel has no NFS server", "无法运行：本机内核没有 NFS 服务器"),
    "not installed": Text("not installed", "没有安装"),
}
_YES, _NO = Text("yes", "是"), Text("no", "否")
_LABELS = {
    "server": Text("NFS server", "NFS 服务器"),
    "versions": Text("versions", "版本"),
    "threads": Text("threads", "线程数"),
    "system": Text("system", "系统"),
    "missing": Text("missing packages", "缺少的软件包"),
    "boot": Text("starts at boot", "开机启动"),
    "firewall": Text("firewall", "防火墙"),
}
_NO_INIT = Text(
    "nothing here starts services: run rpcbind, rpc.mountd and rpc.nfsd",
    "本机没有服务管理器：请自行运行 rpcbind、rpc.mountd 与 rpc.nfsd",
)
_HINTS = {
    "not installed": Text(
        "berth server init installs it: berth server init --help",
        "berth server init 会安装它：berth server init --help",
    ),
    "nothing exported": Text(
        "berth server init makes a directory and exports it: berth server init --help",
        "berth server init 会创建目录并导出：berth server init --help",
    ),
    "no kernel server": Text(
        "a server in the cluster does without it: berth server manifest",
        "集群内的服务器不需要它：berth server manifest",
    ),
}


def lint_command() -> click.Command:
    """The command with its options."""
    return HostCommand(
        "lint",
        params=[
            click.Argument(["file"], required=False, type=click.Path(path_type=Path)),
            click.Option(["--path", "paths"], multiple=True, metavar="PATH",
                         help="A path that a provisioner works in: is it let in, may it write. Repeatable."),
            click.Option(["--provisioner"], metavar="ADDRESS", default="", help="Where that provisioner comes from."),
            click.Option(["--nfs-utils"], metavar="VERSION", default="",
                         help="Judge the files as this release of nfs-utils reads them, such as 2.6.2. [default: "
                              "the installed one]"),
            output_option(),
            LANGUAGE,
        ],
        callback=_lint,
        short_help="What is wrong with the exports, and what to do.",
        help="What is wrong with the exports, and what to do.\n\n"
        "All exports files of this host and what is live; or FILE as if it were the only one. Nothing is changed. "
        "Exit code: 0 nothing (but notes), 1 warnings, 2 errors, 3 a file can't be read.",
    )  # fmt: skip


def status_command() -> click.Command:
    """The command with its options."""
    return HostCommand(
        "status",
        params=[output_option(), LANGUAGE],
        callback=_status,
        short_help="Whether this host serves NFS, and what.",
        help="Whether this host serves NFS, and what. Exit code: 0 it serves all that its files say, now and after a "
        "restart; 1 it serves, and something differs; 2 it does not serve.",
    )


def _lint(
    file: Path | None, paths: tuple[str, ...], provisioner: str, nfs_utils: str, output: str, lang: str | None
) -> None:
    spoken = language(lang)
    needs = [Need(path, provisioner) for path in paths]
    with ending(spoken):
        reader = of_release(nfs_utils) if nfs_utils else None
    findings = run(lint_file(file, needs, reader) if file else lint_host(needs, reader), spoken)
    if output != "table":
        print_data(Report(findings), output)
    else:
        _print_findings(findings, spoken)
    raise SystemExit(Report(findings).exit_code)


def _print_findings(findings: tuple[Finding, ...], lang: Language) -> None:
    if findings:
        print_lines(say_of_files(findings, lang, _LIVE_ONLY))
    else:
        say(_CLEAN.said(lang))


def _status(output: str, lang: str | None) -> None:
    spoken = language(lang)
    status = run(read_status(), spoken)
    if output != "table":
        print_data(status, output)
    else:
        _print_status(status, spoken)
    is_serving = status.verdict in ("serving", "nothing exported")
    raise SystemExit(EXIT_WELL if status.is_good else EXIT_WARNINGS if is_serving else EXIT_FAILED)


def _print_status(status: ServerStatus, lang: Language) -> None:
    machine = status.machine
    colour = "green" if status.verdict == "serving" else "red"
    lines: list[tuple[str, Part]] = [("server", Styled(_VERDICTS[status.verdict].said(lang), colour))]
    if machine.is_serving:
        lines += [("versions", ", ".join(machine.kernel.versions)), ("threads", str(machine.kernel.threads))]
    if machine.missing:
        lines.append(("missing", ", ".join(machine.missing)))
    lines.append(("boot", (_YES if machine.is_enabled else _NO).said(lang)))
    lines.append(("system", machine.distribution.name))
    if machine.firewalls:
        lines.append(("firewall", ", ".join(machine.firewalls)))
    for key, value in lines:
        say(_LABELS[key].said(lang), "：" if lang == "zh" else ": ", value)
    say()
    print_exports(status.exports, lang)
    starting = " && ".join(each.line for each in start_commands(machine.init, machine.distribution.family))
    hint = _HINTS[status.verdict].said(lang) if status.verdict in _HINTS else ""
    if status.verdict == "not serving":
        hint = starting or _NO_INIT.said(lang)
    if hint:
        say()
        say(f"→ {hint}")
