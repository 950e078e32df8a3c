"""`berth doctor explain`: a text in, every known failure in it explained."""

from __future__ import annotations

import codecs
import gzip
import io
import sys
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import click

from berth.cli.cluster import release_of
from berth.cli.cluster_options import CONTEXT, KUBECONFIG
from berth.cli.commands import BerthCommand
from berth.cli.diagnosis import answer
from berth.cli.ending import EXIT_BLIND, end, ending
from berth.cli.manner import both, language
from berth.cli.output import LANGUAGE, REDACTED, complain, output_option
from berth.cli.wrapping import is_terminal
from berth.doctor.explain import Explainer
from berth.findings.versions import Version, parse_version
from berth.texts.text import Language, Text

_NOTHING = Text("no known failure in it", "其中没有已知的故障")
_EMPTY = Text("{}: there is no text in it", "{}：没有内容")
_BINARY = Text("{}: this is not text", "{}：不是文本")
_REFUSED = Text("{}: {}; it was read line by line", "{}：{}；已逐行读取")
_PACKED = b"\x1f\x8b"
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\b\x1b"))
_PASTE = Text("paste the text, then press Ctrl-D", "请粘贴文本，然后按 Ctrl-D")
_ASKED = Text("the cluster {} runs Kubernetes {}", "集群 {} 的版本是 Kubernetes {}")


def explain_command() -> click.Command:
    """The command with its options."""
    return BerthCommand(
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
            output_option(),
            REDACTED,
            LANGUAGE,
        ],
        callback=_explain,
        short_help="A log, events or an error message in; what they mean out.",
        help="A log, events or an error message in; every known failure in it explained.\n\n"
        "    kubectl logs deploy/nfs-client-provisioner | berth doctor explain\n\n"
        "    kubectl get events -A -o yaml | berth doctor explain\n\n"
        "Any format will do: plain, JSON, klog, `kubectl describe`, also gzipped. Exit code: 0 nothing known in it, "
        "1 warnings, 2 failures, 3 it could not be read, or there was nothing to read.",
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
    name = file if file != "-" else "标准输入" if spoken == "zh" else "standard input"
    try:
        with ending(spoken):
            unreadable = _read(explainer, file, spoken)
    except (OSError, EOFError, zlib.error) as error:
        why = both(getattr(error, "strerror", None) or str(error))
        end(Text(f"{name}: {why.en}", f"{name}：{why.zh}"), EXIT_BLIND, lang=spoken)
    if explainer.refused:
        complain(_REFUSED.said(spoken).format(name, explainer.refused))
    explanation = explainer.explain()
    if (unreadable or explainer.refused) and not explanation.report.findings:
        if unreadable is not None:
            end(Text(unreadable.en.format(name), unreadable.zh.format(name)), EXIT_BLIND, lang=spoken)
        raise SystemExit(EXIT_BLIND)
    if explanation.needs_version:
        explanation = explainer.explain(_ask_cluster(kubeconfig, context, spoken))
    answer(explanation.report, output, spoken, _NOTHING)


def _read(explainer: Explainer, file: str, lang: Language) -> Text | None:
    """Reads all of it. Why there was nothing to read, if so."""
    if file != "-":
        with Path(file).open("rb") as stream:
            return _read_stream(explainer, stream)
    if sys.stdin is None:  # closed by the shell: `<&-`
        return _EMPTY
    if is_terminal(sys.stdin):
        complain(_PASTE.said(lang))
    return _read_stream(explainer, io.BufferedReader(cast(io.RawIOBase, sys.stdin.buffer)))


def _read_stream(explainer: Explainer, stream: io.BufferedReader) -> Text | None:
    if stream.peek(2)[:2] == _PACKED:
        with gzip.open(stream) as unpacked:
            return _read_stream(explainer, cast(io.BufferedReader, unpacked))
    begun = stream.peek(1)
    if begun.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # as PowerShell's `>` writes it
        explainer.read(cast(BinaryIO, codecs.EncodedFile(stream, "utf-8", "utf-16", "replace")))
        return None
    explainer.read(cast(BinaryIO, stream))
    if not begun:
        return _EMPTY
    # Logs that a crash cut off hold some zeros; programs and archives are full of such bytes.
    return _BINARY if len(begun) - len(begun.translate(None, _CONTROLS)) > len(begun) // 20 else None


def _ask_cluster(kubeconfig: str, context: str, lang: Language) -> Version | None:
    """The version of the cluster that is at hand; None where none is, or it does not answer soon."""
    found = release_of(kubeconfig, context)
    if found is None:
        return None
    server, version = found[0], Version(*found[1])
    complain(_ASKED.said(lang).format(server, version))
    return version
