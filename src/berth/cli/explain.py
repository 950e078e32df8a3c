"""`berth doctor explain`: a text in, every known failure in it explained."""

from __future__ import annotations

import asyncio
import gzip
import sys
from pathlib import Path
from typing import BinaryIO, cast

import click

from berth import __version__
from berth.cli.cluster import CONTEXT, KUBECONFIG
from berth.cli.diagnosis import answer
from berth.cli.output import LANGUAGE, complain, language, output_option
from berth.doctor.explain import Explainer
from berth.doctor.versions import Version, parse_version
from berth.kube.config import load
from berth.kube.errors import KubeError
from berth.kube.manifest import ManifestApi
from berth.texts.text import Language, Text

_EXIT_BLIND = 3
_INTERRUPTED = 130
_PATIENCE = 3.0
"""Seconds for the question to the cluster; the answer only makes the cure more exact."""
_NOTHING = Text("no known failure in it", "其中没有已知的故障")
_PASTE = Text("paste the text, then press Ctrl-D", "请粘贴文本，然后按 Ctrl-D")
_ASKED = Text("the cluster {} runs Kubernetes {}", "集群 {} 的版本是 Kubernetes {}")


def explain_command() -> click.Command:
    """The command with its options."""
    return click.Command(
        "explain",
        params=[
            click.Argument(["file"], default="-", metavar="[FILE|-]"),
            click.Option(
                ["--kubernetes-version"],
                metavar="1.N",
                callback=_read_version,
                help="What the cluster runs. [default: what the text says, else the cluster that kubeconfig names]",
            ),
            KUBECONFIG,
            CONTEXT,
            output_option("yaml"),
            LANGUAGE,
        ],
        callback=_explain,
        short_help="A log, events or an error message in; what they mean out.",
        help="A log, events or an error message in; every known failure in it explained.\n\n"
        "    kubectl logs deploy/nfs-client-provisioner | berth doctor explain\n\n"
        "    kubectl get events -A -o yaml | berth doctor explain\n\n"
        "Any format will do: plain, JSON, klog, `kubectl describe`, also gzipped. Exit code: 0 nothing known in it, "
        "1 warnings, 2 failures, 3 it could not be read.",
    )


def _read_version(_context: click.Context, _option: click.Parameter, given: str | None) -> Version | None:
    try:
        return parse_version(given) if given else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _explain(
    file: str, kubernetes_version: Version | None, kubeconfig: str, context: str, output: str, lang: str | None
) -> None:
    spoken = language(lang)
    explainer = Explainer(kubernetes_version)
    try:
        _read(explainer, file, spoken)
    except (OSError, EOFError) as error:
        complain(f"{file}: {getattr(error, 'strerror', None) or error}")
        raise SystemExit(_EXIT_BLIND) from None
    except KeyboardInterrupt:
        complain("已中断" if spoken == "zh" else "interrupted")
        raise SystemExit(_INTERRUPTED) from None
    explanation = explainer.explain()
    if explanation.needs_version:
        explanation = explainer.explain(_ask_cluster(kubeconfig, context, spoken))
    answer(explanation.report, output, spoken, _NOTHING)


def _read(explainer: Explainer, file: str, lang: Language) -> None:
    if file == "-":
        if sys.stdin.isatty():
            complain(_PASTE.said(lang))
        explainer.read(sys.stdin.buffer)
        return
    with Path(file).open("rb") as stream:
        if stream.peek(2)[:2] == b"\x1f\x8b":
            with gzip.open(stream) as unpacked:
                explainer.read(cast(BinaryIO, unpacked))
        else:
            explainer.read(stream)


def _ask_cluster(kubeconfig: str, context: str, lang: Language) -> Version | None:
    """The version of the cluster that is at hand; None where none is, or it does not answer soon."""

    async def ask() -> tuple[str, Version]:
        config = load(kubeconfig, context=context)
        async with asyncio.timeout(_PATIENCE), ManifestApi(config, user_agent=f"berth/{__version__}") as api:
            return config.cluster.server, Version(*await api.version())

    try:
        server, version = asyncio.run(ask())
    except (KubeError, TimeoutError):
        return None
    complain(_ASKED.said(lang).format(server, version))
    return version
