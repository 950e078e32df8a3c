"""`berth doctor`: the group, and its commands that look at the cluster and at this host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from berth.cli.cluster import CONTEXT, KUBECONFIG
from berth.cli.commands import BerthCommand, BerthGroup
from berth.cli.diagnosis import answer, progress_line
from berth.cli.ending import EXIT_BLIND, end, run
from berth.cli.explain import explain_command
from berth.cli.hosts.options import HostCommand
from berth.cli.image_options import readable
from berth.cli.manner import both, language, redaction
from berth.cli.output import LANGUAGE, REDACTED, output_option, print_data, say
from berth.cli.server.report import exit_code, print_report
from berth.cli.server.verify import look_at_share, verify_command
from berth.cli.tables import print_table
from berth.doctor import listing
from berth.doctor.cluster.examine import examine as examine_cluster
from berth.doctor.cluster.probing import Wish
from berth.doctor.known import entries
from berth.doctor.node.checks import examine as examine_node
from berth.findings.finding import Subject
from berth.findings.render import SEVERITY
from berth.kube.config import ClusterConfig, load
from berth.kube.errors import ConfigurationError
from berth.texts.text import Text

_HEALTHY = Text("nothing wrong found", "未发现问题")
_UNCONFIGURED = "不知道如何连接集群：{}"
_CODES = "Exit code: 0 healthy, 1 warnings, 2 failures, 3 something could not be looked at."
_ACTIVE = click.Option(
    ["--active"],
    is_flag=True,
    help="Also try it: a probe claim and short-lived pods, removed again afterwards. Only classes that give each PV a "
    "directory of its own, and delete it.",
)
_WISHES: dict[str, click.Option] = {
    "leaves": click.Option(
        ["--leave-behind", "leaves"],
        is_flag=True,
        help="With --active: also classes that archive or keep. The probe's empty directory stays; how to remove it is "
        "said.",
    ),
    "all_nodes": click.Option(
        ["--all-nodes"], is_flag=True, help="With --active: also on nodes whose taints keep other pods off."
    ),
    "image": click.Option(
        ["--probe-image", "image"],
        metavar="IMAGE",
        callback=readable,
        default="",
        help="With --active: the pods' image, with sh in it. [default: that of the Berth that runs and is trusted]",
    ),
}
_NAMESPACE = click.Option(
    ["-n", "--namespace"], metavar="NAMESPACE", default="", help="Where it is. [default: the context's]"
)
_TRUST = click.Option(
    ["--trust", "trusted"],
    multiple=True,
    metavar="NAMESPACE/ACCOUNT",
    help="A service account that is your provisioner's, though no ClusterRoleBinding says so: what it lacks is "
    "printed. Repeatable.",
)


def doctor_command() -> click.Group:
    """The group: by itself it looks at the whole cluster."""
    group = BerthGroup(
        "doctor",
        params=_cluster_options(),
        callback=_doctor,
        short_help="Find out what is wrong, why, and what to type.",
        help=f"Find out what is wrong with NFS storage in the cluster, why, and what to type.\n\n{_CODES}",
    )
    for command in (
        _about("claim", "[NAMESPACE/]NAME", "One claim: why it is Pending, Terminating or does not grow."),
        _about("volume", "PV", "One PV: why it is Released, Failed or can't be mounted."),
        _about("pod", "[NAMESPACE/]NAME", "One pod: why it does not start or end, as far as its volumes are to blame."),
        _share_command(),
        _node_command(),
        explain_command(),
        _list_command(),
    ):
        group.add_command(command)
    return group


def _cluster_options() -> list[click.Parameter]:
    return [_ACTIVE, *_WISHES.values(), _TRUST, KUBECONFIG, CONTEXT, output_option(), REDACTED, LANGUAGE]


@click.pass_context
def _doctor(context: click.Context, /, **given: Any) -> None:
    if context.invoked_subcommand is None:
        _look(None, **given)
    # What stands before the subcommand holds for it, too.
    source = context.get_parameter_source
    said = {name: value for name, value in given.items() if source(name) is click.core.ParameterSource.COMMANDLINE}
    context.default_map = {str(context.invoked_subcommand): said}


def _about(kind: str, metavar: str, help_text: str) -> click.Command:
    is_namespaced = kind != "volume"

    def look(name: str, namespace: str = "", **given: Any) -> None:
        within, slash, rest = name.rpartition("/")
        if slash and not is_namespaced:
            raise click.BadParameter(f"{name!r}: PVs have no namespace", param_hint=metavar)
        if not rest or (slash and not within) or "/" in within:
            raise click.BadParameter(
                f"{name!r}: write it as NAMESPACE/NAME, such as default/{rest or name}", param_hint=kind
            )
        if within and namespace not in ("", within):
            raise click.BadParameter(f"{name!r} is in another namespace than {namespace!r}", param=_NAMESPACE)
        _look(_Named(kind, rest, within or namespace, is_namespaced), **given)

    argument = click.Argument(["name"], metavar=metavar)
    options = [*([_NAMESPACE] if is_namespaced else []), *_cluster_options()]
    text = f"{help_text}\n\n{_CODES}"
    return BerthCommand(kind, params=[argument, *options], callback=look, short_help=help_text, help=text)


@dataclass(frozen=True, slots=True)
class _Named:
    """An object as it was typed. namespace: empty for the context's."""

    kind: str
    name: str
    namespace: str
    is_namespaced: bool

    def subject(self, config: ClusterConfig) -> Subject:
        """The object that is meant, where that cluster is."""
        if not self.is_namespaced:
            return Subject(self.kind, self.name)
        return Subject(self.kind, f"{self.namespace or config.namespace}/{self.name}")


def _look(
    about: _Named | None, active: bool, trusted: tuple[str, ...], kubeconfig: str, context: str, output: str,
    lang: str | None, **wishes: Any,
) -> None:  # fmt: skip
    spoken = language(lang)
    for name, option in _WISHES.items():
        if wishes[name] and not active:
            raise click.UsageError(f"{option.opts[0]} says how to try it: give --active, too")
    for account in trusted:
        if account.count("/") != 1 or not all(account.split("/")):
            raise click.BadParameter(f"{account!r} is not NAMESPACE/ACCOUNT, such as berth-system/berth", param=_TRUST)
    try:
        config = load(kubeconfig, context=context)
    except ConfigurationError as error:
        why = both(str(error))
        end(Text(why.en, _UNCONFIGURED.format(why.zh)), EXIT_BLIND, reason="ConfigurationError", lang=spoken)
    subject = about.subject(config) if about else None
    wanted = redaction()
    looking = examine_cluster(
        subject, config, active=active, wish=Wish(**wishes), trusted=trusted, progress=progress_line(spoken),
        seen=wanted.learn_cluster if wanted is not None else None,
    )  # fmt: skip
    report = run(looking, spoken)
    answer(report, output, spoken, _HEALTHY)


def _share_command() -> click.Command:
    """`berth server verify` with the doctor's forms and exit codes."""
    verify = verify_command()

    def look(output: str, **given: Any) -> None:
        report, spoken = look_at_share(**given)
        wanted = redaction()
        report = report if wanted is None else wanted.share_report(report)
        if output == "table":
            print_report(report, spoken)
        else:
            print_data({**report.as_dict(), "exitCode": exit_code(report)}, output)
        raise SystemExit(exit_code(report))

    return HostCommand(
        "share",
        params=[*(output_option() if each.name == "output" else each for each in verify.params), REDACTED],
        callback=look,
        short_help="One share, over the network: from the name to a byte-range lock.",
        help=f"{(verify.help or '').partition('Exit code:')[0]}{_CODES}",
    )


def _node_command() -> click.Command:
    def look(root: Path, output: str, lang: str | None) -> None:
        spoken = language(lang)
        report = run(examine_node(root, progress=progress_line(spoken)), spoken)
        answer(report, output, spoken, _HEALTHY)

    return HostCommand(
        "node",
        params=[
            click.Option(
                ["--root"],
                type=click.Path(exists=True, file_okay=False, path_type=Path),
                default=Path("/"),
                metavar="DIR",
                help="Where the node's / is, for a pod that has mounted it. [default: /]",
            ),
            output_option(),
            REDACTED,
            LANGUAGE,
        ],
        callback=look,
        short_help="This host as an NFS client.",
        help="This host as an NFS client: what it needs to mount, mounts that hang, are stale or lose data.\n\n"
        f"Run it on the node itself, as root. It can't hang on a mount. {_CODES}",
    )


def _list_command() -> click.Command:
    def show(output: str, lang: str | None) -> None:
        if output != "table":
            print_data(listing.as_dict(), output)
            return
        spoken = language(lang)
        heads = Text("LOOKS AT|CHECK|WHAT", "对象|检查|内容").said(spoken).split("|")
        print_table(heads, [(each.group, each.id, each.looks_at.said(spoken)) for each in listing.checks()])
        say()
        heads = Text("FAILURE|SEVERITY|WHAT", "ID|级别|内容").said(spoken).split("|")
        rows = [(each.id, SEVERITY[each.severity].said(spoken), each.title.said(spoken)) for each in entries().values()]
        print_table(heads, rows)

    return BerthCommand(
        "list",
        params=[output_option(), LANGUAGE],
        callback=show,
        help="Every check, and every failure that is known.",
    )
