"""`berth plan`: what a claim in a file would get, or why it would be refused."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from berth.cli.cluster import on_cluster
from berth.cli.cluster_options import CONTEXT, KUBECONFIG
from berth.cli.commands import BerthCommand
from berth.cli.ending import EXIT_BLIND, EXIT_FAILED, EXIT_USAGE, end, refused_sentence
from berth.cli.manner import both, language
from berth.cli.output import LANGUAGE, Styled, output_option, print_data, say
from berth.kube.config import load
from berth.kube.errors import ConfigurationError
from berth.kube.manifest import ManifestApi
from berth.objects.kinds import ClaimObject, ClassObject
from berth.objects.listing import read_all
from berth.objects.written import NotWritten, read_written
from berth.operations.foresee import Foreseen, finder, foresee
from berth.settings.controller import OWN_PROVISIONER
from berth.texts.text import Language, Text
from berth.texts.yaml_in import YamlError, read_documents, what_is_wrong
from berth.volumes.plan import DefaultShare, Plan

_SERVED = Text(
    "claim {claim} of class {name} would get a directory", "StorageClass {name} 的 PVC {claim} 会得到一个目录"
)
_REFUSED = Text("claim {claim} would be refused", "PVC {claim} 会被拒绝")
_LABELS = {
    "share": Text("share", "共享"),
    "path": Text("path", "路径"),
    "mode": Text("mode", "权限"),
    "size": Text("size", "容量"),
    "end": Text("when the claim is deleted", "PVC 删除之后"),
    "mountOptions": Text("mount options", "挂载选项"),
}
_ENDS = {
    "delete": Text("the directory is deleted", "删除目录"),
    "archive": Text("the directory is archived", "归档目录"),
    "retain": Text("the directory is kept", "保留目录"),
}
_OWNER = Text("{mode}, owner {uid}:{gid}", "{mode}，所有者 {uid}:{gid}")
_SERVERS_CHOICE = Text("the server's choice", "由服务器决定")
_SIZE = Text("{size}, written down; NFS enforces none", "{size}，仅作记录；NFS 不强制容量限制")
_BORN = Text("(UID: what the cluster calls the claim when it is filed)", "（UID：提交 PVC 时由集群分配）")
_OTHER_NAME = Text(
    "its class asks for provisioner {name}: a Berth serves it whose PROVISIONER_NAME holds that name",
    "该 StorageClass 的制备器是 {name}：PROVISIONER_NAME 中含有该名称的 Berth 才会处理它",
)
_NO_CLAIM = Text("{name}: there is no PersistentVolumeClaim in it", "{name}：其中没有 PersistentVolumeClaim")
_NO_CLASS = Text(
    "claim {claim} needs a class that no file has, and no cluster could be asked: {why}",
    "PVC {claim} 需要的 StorageClass 不在文件中，又无法询问集群：{why}",
)


def plan_command() -> click.Command:
    """The command with its options."""
    return BerthCommand(
        "plan",
        params=[
            click.Option(["-f", "--filename", "files"], multiple=True, required=True, metavar="FILE",
                         help="YAML or JSON with the claim, and its class if the cluster does not have it; - is "
                         "standard input; repeatable."),
            click.Option(["-n", "--namespace"], metavar="NAMESPACE", default="",
                         help="Namespace of claims that name none. [default: the context's]"),
            click.Option(["--server"], metavar="HOST", default="", envvar="NFS_SERVER",
                         help="NFS server of classes that name none, as the controller has it. [env: NFS_SERVER]"),
            click.Option(["--path"], metavar="PATH", default="", envvar="NFS_PATH",
                         help="Exported path of classes that name none. [env: NFS_PATH]"),
            output_option(), KUBECONFIG, CONTEXT, LANGUAGE,
        ],
        callback=_plan,
        short_help="Say what a claim would get, or why it would be refused.",
        help="Say what a claim would get: share, path, mode, size and end; or why it would be refused.\n\n"
        "Nothing is made, and no cluster is asked where claim and class are in the files. Whether the directory is "
        "free is seen only when it is made. Exit code: 0 every claim would be served, 2 one would be refused, 3 its "
        "class could not be looked at.",
    )  # fmt: skip


def _plan(
    files: tuple[str, ...], namespace: str, server: str, path: str, output: str, kubeconfig: str, context: str,
    lang: str | None,
) -> None:  # fmt: skip
    spoken = language(lang)
    written = [each for name in files for each in _read(name, spoken)]
    claims = [each for each in written if isinstance(each, ClaimObject)]
    classes = [each for each in written if isinstance(each, ClassObject)]
    if not claims:
        end(_filled(_NO_CLAIM, name=", ".join(files)), EXIT_USAGE, lang=spoken)
    for claim in claims:
        claim.metadata.namespace = claim.namespace or namespace or _namespace(kubeconfig, context)
    find, default = finder(classes), DefaultShare(server, path.rstrip("/") or path)
    foreseen = [foresee(claim, find, default) for claim in claims]
    if any(_lacks_class(each) for each in foreseen):
        known = _classes(foreseen, kubeconfig, context, spoken)
        find = finder([*known, *classes])
        foreseen = [foresee(claim, find, default) for claim in claims]
    code = EXIT_FAILED if any(each.refusal for each in foreseen) else 0
    if output != "table":
        print_data({"claims": foreseen, "exitCode": code}, output)
    else:
        for at, each in enumerate(foreseen):
            if at:
                say()
            _tell(each, spoken)
    raise SystemExit(code)


def _read(name: str, lang: Language) -> Iterator[ClaimObject | ClassObject]:
    try:
        text = _read_input() if name == "-" else Path(name).read_bytes()
        yield from read_written(read_documents(text))
    except OSError as error:
        why = both(error.strerror or str(error))
        end(Text(f"{name}: {why.en}", f"{name}：{why.zh}"), EXIT_BLIND, lang=lang)
    except NotWritten as error:
        end(Text(f"{name}: {error}", f"{name}：{both(str(error)).zh}"), EXIT_USAGE, lang=lang)
    except (YamlError, UnicodeDecodeError) as error:
        said = both(what_is_wrong(error))
        end(Text(f"{name} is not YAML: {said.en}", f"{name} 不是 YAML：{said.zh}"), EXIT_USAGE, lang=lang)


def _read_input() -> bytes:
    return b"" if sys.stdin is None else sys.stdin.buffer.read()  # None: closed by the shell, `<&-`


def _namespace(kubeconfig: str, context: str) -> str:
    """Where kubectl would file a claim that names no namespace."""
    try:
        return load(kubeconfig, context=context).namespace
    except ConfigurationError:
        return "default"


def _lacks_class(told: Foreseen) -> bool:
    return not told.provisioner and told.refusal is not None and "empty" not in told.refusal.why


def _classes(told: list[Foreseen], kubeconfig: str, context: str, lang: Language) -> list[ClassObject]:
    try:
        load(kubeconfig, context=context)
    except ConfigurationError as error:
        claim, reason = next(each.claim for each in told if _lacks_class(each)), both(str(error))
        why = Text(_NO_CLASS.en.format(claim=claim, why=reason.en), _NO_CLASS.zh.format(claim=claim, why=reason.zh))
        end(why, EXIT_BLIND, reason="ConfigurationError", lang=lang)

    async def job(api: ManifestApi) -> list[ClassObject]:
        return await read_all(api, ClassObject)

    return on_cluster(job, kubeconfig=kubeconfig, context=context, lang=lang)


def _tell(told: Foreseen, lang: Language) -> None:
    if told.refusal is not None or told.plan is None:
        assert told.refusal is not None
        colon = "：" if lang == "zh" else ": "
        why = refused_sentence(told.refusal).said(lang)
        say(Styled(_filled(_REFUSED, claim=told.claim).said(lang), "red"), colon, why)
        return
    say(Styled(_filled(_SERVED, claim=told.claim, name=told.class_name).said(lang), "green"))
    for key, value in _facts(told, told.plan, lang):
        say(f"  {_LABELS[key].said(lang)}", "：" if lang == "zh" else ": ", value)
    for doubt in told.plan.doubts:
        say(f"  {doubt.said(lang)}")
    if told.provisioner != OWN_PROVISIONER:
        say(f"  {_filled(_OTHER_NAME, name=told.provisioner).said(lang)}")


def _facts(told: Foreseen, plan: Plan, lang: Language) -> Iterator[tuple[str, str]]:
    yield "share", str(plan.share)
    yield "path", f"{plan.path} {_BORN.said(lang)}" if "pvc-UID" in plan.path else plan.path
    uid, gid = (_SERVERS_CHOICE.said(lang) if each is None else str(each) for each in (plan.uid, plan.gid))
    mode = f"{plan.mode:04o}"
    is_open = plan.uid is None and plan.gid is None
    yield "mode", mode if is_open else _filled(_OWNER, mode=mode, uid=uid, gid=gid).said(lang)
    yield "size", _filled(_SIZE, size=told.size).said(lang)
    yield "end", _ENDS[told.end].said(lang)
    if told.mount_options:
        yield "mountOptions", ",".join(told.mount_options)


def _filled(text: Text, **facts: str) -> Text:
    return Text(text.en.format(**facts), text.zh.format(**facts))
