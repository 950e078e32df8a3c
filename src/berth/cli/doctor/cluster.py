"""`berth doctor` and its commands that look at the cluster: at all of it, or at what has to do with one object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from berth.cli.commands import BerthCommand
from berth.cli.diagnosis import answer, progress_line
from berth.cli.doctor.options import CODES, HEALTHY, TRUST, WISHES, cluster_options
from berth.cli.ending import EXIT_BLIND, end, run
from berth.cli.manner import both, language, redaction
from berth.doctor.cluster.examine import examine as examine_cluster
from berth.doctor.cluster.probing import Wish
from berth.findings.finding import Subject
from berth.kube.config import ClusterConfig, load
from berth.kube.errors import ConfigurationError
from berth.texts.text import Text

_UNCONFIGURED = "不知道如何连接集群：{}"
_NAMESPACE = click.Option(
    ["-n", "--namespace"], metavar="NAMESPACE", default="", help="Where it is. [default: the context's]"
)


def claim_command() -> click.Command:
    """The command with its options."""
    return _about("claim", "[NAMESPACE/]NAME", "One claim: why it is Pending, Terminating or does not grow.")


def volume_command() -> click.Command:
    """The command with its options."""
    return _about("volume", "PV", "One PV: why it is Released, Failed or can't be mounted.")


def pod_command() -> click.Command:
    """The command with its options."""
    text = "One pod: why it does not start or end, as far as its volumes are to blame."
    return _about("pod", "[NAMESPACE/]NAME", text)


def _about(kind: str, metavar: str, help_text: str) -> click.Command:
    is_namespaced = kind != "volume"

    def look_at(name: str, namespace: str = "", **given: Any) -> None:
        within, slash, rest = name.rpartition("/")
        if slash and not is_namespaced:
            raise click.BadParameter(f"{name!r}: PVs have no namespace", param_hint=metavar)
        if not rest or (slash and not within) or "/" in within:
            raise click.BadParameter(
                f"{name!r}: write it as NAMESPACE/NAME, such as default/{rest or name}", param_hint=kind
            )
        if within and namespace not in ("", within):
            raise click.BadParameter(f"{name!r} is in another namespace than {namespace!r}", param=_NAMESPACE)
        look(_Named(kind, rest, within or namespace, is_namespaced), **given)

    argument = click.Argument(["name"], metavar=metavar)
    options = [*([_NAMESPACE] if is_namespaced else []), *cluster_options()]
    text = f"{help_text}\n\n{CODES}"
    return BerthCommand(kind, params=[argument, *options], callback=look_at, short_help=help_text, help=text)


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


def look(
    about: _Named | None, active: bool, trusted: tuple[str, ...], kubeconfig: str, context: str, output: str,
    lang: str | None, **wishes: Any,
) -> None:  # fmt: skip
    """Looks, answers, ends the process. about: None for the whole cluster; the rest is as cluster_options gives it."""
    spoken = language(lang)
    for name, option in WISHES.items():
        if wishes[name] and not active:
            raise click.UsageError(f"{option.opts[0]} says how to try it: give --active, too")
    for account in trusted:
        if account.count("/") != 1 or not all(account.split("/")):
            raise click.BadParameter(f"{account!r} is not NAMESPACE/ACCOUNT, such as berth-system/berth", param=TRUST)
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
    answer(report, output, spoken, HEALTHY)
