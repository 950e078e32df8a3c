"""docs/doctor.md and its Chinese twin, the catalogue to read: `python -m berth.doctor.docs_page docs` makes them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from berth.doctor.known import entries
from berth.doctor.listing import checks
from berth.findings.entry import CatalogueEntry, Variant
from berth.findings.finding import HARMS, SEVERITIES
from berth.findings.pattern import readable
from berth.findings.render import SEVERITY
from berth.texts.text import Language, Text

FILES: dict[Language, str] = {"en": "doctor.md", "zh": "doctor.zh-CN.md"}

_HEAD = Text(
    """\
# berth doctor

[中文](doctor.zh-CN.md)

What is wrong with NFS storage on Kubernetes, why, and what to type.

```
berth doctor                      the cluster that the kubeconfig names
berth doctor claim NS/NAME        one claim; also: pod NS/NAME, volume PV
berth doctor share HOST:/PATH     a share, over the network
berth doctor node                 this host as an NFS client; can't hang on a mount
berth doctor explain [FILE|-]     a log, events or an error message: every known failure in it
berth doctor list                 every check and every failure that is known
```

Nothing is changed, except with `--active`. `-o json` and `-o yaml` have stable ids and both languages; `--lang zh`
speaks Chinese. Exit code: 0 healthy, 1 warnings, 2 failures, 3 something could not be looked at.

`--active` tries classes with a probe claim, and with pods that write into its volume where there are nodes. It tries
only classes that name the PV in the first part of their path and share no directories, so that a probe can't meet data,
and it changes no volume's end. What goes further has to be asked for: `--leave-behind` (classes that archive or keep:
the empty directory stays, and how to remove it is said), `--all-nodes` (nodes whose taints keep other pods off),
`--probe-image` (instead of the image of the Berth that runs). What a killed run left is removed by the next one.

`--redact` puts stand-ins in the place of names, addresses and paths, for showing the answer to others:
`namespace-1/claim-2`, `192.0.2.1`, `host-1.example:/dir-1`. The same name has the same one in one run, also in commands
and quoted lines; of a quoted line every word goes that is neither ours nor an ordinary one. Kubernetes' own names and
those of known provisioners stay, and sizes, options, versions and ports. Look it over before you show it to others.

Many programs print the same errors on any file system. `explain` calls one a failure only where the text shows that
NFS is meant: in the message and its record, by a path below an NFS mount that the text lists (`mount`, `df`, fstab), or
by a volume that it names. Else it asks, with the command that tells: `QUESTION`, under `questions` in JSON; no question
changes the exit code.

What a workload says of itself proves nothing. Its account is trusted if a ClusterRoleBinding speaks for it that is
Berth's own or lets it write PVs, or if it is named with `--trust NAMESPACE/ACCOUNT`; rights are printed for no other.

Events that go over several lines are cut off by `kubectl get events`; this keeps them whole:

```
kubectl get events -A -o yaml | berth doctor explain
kubectl -n NS describe pod NAME | berth doctor explain
```""",
    """\
# berth doctor

[English](doctor.md)

Kubernetes 上的 NFS 存储出了什么问题、原因是什么、该执行什么命令。

```
berth doctor                      检查 kubeconfig 指向的集群
berth doctor claim NS/NAME        检查一个 PVC；另有 pod NS/NAME、volume PV
berth doctor share HOST:/PATH     通过网络检查一个共享
berth doctor node                 检查本机作为 NFS 客户端的状态；不会被挂起的挂载点卡住
berth doctor explain [FILE|-]     解释日志、事件或错误信息中所有已知的故障
berth doctor list                 列出全部检查项和已知故障
```

除非使用 `--active`，否则不做任何修改。`-o json`、`-o yaml` 的 id 保持不变并包含两种语言；`--lang zh` 输出中文。退出码：
0 正常，1 有警告，2 有故障，3 有内容未能检查。

`--active` 用一个探测 PVC 试用 StorageClass，有节点时还会用 Pod 写入该卷。只试用路径第一段含 PV 名且不共享目录的
StorageClass，因此探测不会碰到数据；它也不改变任何卷在 PVC 删除之后的处理方式。更进一步的操作需要明确要求：
`--leave-behind`（会归档或保留的 StorageClass：空目录会留下，并说明如何清理）、
`--all-nodes`（带污点、其他 Pod 不会调度到的节点）、
`--probe-image`（代替正在运行的 Berth 的镜像）。
被强行终止的探测所留下的内容由下一次运行清理。

`--redact` 把名字、地址和路径换成代号，便于把结果给别人看：`namespace-1/claim-2`、`192.0.2.1`、
`host-1.example:/dir-1`。同一次运行中，同一个名字对应同一个代号，命令和引用的原文里也是如此；
引用的原文中，既不是 Berth 的用语也不是常见词的单词都会被换掉。Kubernetes 自身的名字、常见制备器的名字，
以及容量、选项、版本和端口保持不变。给别人看之前请自己检查一遍。

很多程序在任何文件系统上都会输出相同的错误。只有当文本表明与 NFS 有关时，`explain` 才判定为故障：消息及其所在的记录、
文本中列出的 NFS 挂载点（`mount`、`df`、fstab）之下的路径，或文本中指明在 NFS 上的卷。否则以“待确认”的形式提问，并给出
用于确认的命令；JSON 中位于 `questions`，不影响退出码。

工作负载对自己的描述不能证明什么。只有当某个 ClusterRoleBinding（Berth 自己的，或允许写 PV 的）指明其账号，或用
`--trust 命名空间/账号` 指明时，该账号才受信任；doctor 不会为其他账号打印授权命令。

`kubectl get events` 会截断多行的事件，下面的方式可保留完整内容：

```
kubectl get events -A -o yaml | berth doctor explain
kubectl -n NS describe pod NAME | berth doctor explain
```""",
)
_CHECKS = Text("## What it looks at", "## 检查内容")
_CHECK_HEADS = Text("| of | check | looks at |", "| 对象 | 检查 | 内容 |")
_FAILURES = Text("## What it knows", "## 已知故障")
_FAILURE_HEADS = Text("| failure | severity | |", "| ID | 级别 | |")
_LABELS = {
    "seen": Text("In logs and events:", "日志与事件中的样子："),
    "ambiguous": Text(
        "Where the text shows that NFS is meant; else it is asked:",
        "仅当文本表明与 NFS 有关时判定为故障，否则作为待确认的问题提出：",
    ),
    "why": Text("Why:", "原因："),
    "cure": Text("What to do:", "处理："),
    "prove": Text("To make sure:", "如何确认："),
    "sources": Text("Read on:", "参考："),
}
_ON = Text("Kubernetes {}: ", "Kubernetes {}：")
_ELSE = Text("Otherwise: ", "其他情况：")


def document(language: Language) -> str:
    """The whole file in that language."""
    return "\n".join(_lines(language)) + "\n"


def _lines(language: Language) -> Iterator[str]:
    yield from (_HEAD.said(language), "", _CHECKS.said(language), _CHECK_HEADS.said(language), "|---|---|---|")
    yield from (f"| {each.group} | `{each.id}` | {each.looks_at.said(language)} |" for each in checks())
    known = sorted(entries().values(), key=_rank)
    yield from ("", _FAILURES.said(language), _FAILURE_HEADS.said(language), "|---|---|---|")
    for entry in known:
        severity = SEVERITY[entry.severity].said(language)
        yield f"| [{entry.id}](#{entry.id}) | {severity} | {entry.title.said(language)} |"
    for entry in known:
        yield from _entry(entry, language)


def _rank(entry: CatalogueEntry) -> tuple[int, int, str]:
    return SEVERITIES.index(entry.severity), HARMS.index(entry.harm), entry.id


def _entry(entry: CatalogueEntry, language: Language) -> Iterator[str]:
    yield from ("", f"### {entry.id}", f"**{entry.title.said(language)}**")
    for label, patterns in (("seen", entry.patterns), ("ambiguous", entry.ambiguous)):
        if patterns:
            yield from ("", _LABELS[label].said(language), "```")
            yield from dict.fromkeys(readable(pattern.source) for pattern in patterns)
            yield "```"
    for label, variants in (("why", entry.every("why")), ("cure", entry.every("cure")), ("prove", entry.prove)):
        if variants:
            yield from ("", _LABELS[label].said(language))
            yield from _variants(variants, language)
    links = ", ".join(_link(source) for source in entry.sources)
    yield from ("", f"{_LABELS['sources'].said(language)} {links}")


def _variants(variants: tuple[Variant, ...], language: Language) -> Iterator[str]:
    by_version = any(str(variant.applies) for variant in variants)
    told = set()
    for variant in variants:
        on = str(variant.applies)
        before = (_ON.said(language).format(on) if on else _ELSE.said(language)) if by_version else ""
        said = f"{before}{variant.text.said(language)}"
        if said in told:
            continue  # it differs only in what its commands name
        told.add(said)
        yield said
        if variant.commands:
            yield "```"
            yield from (alternatives[0] for alternatives in variant.commands)
            yield "```"


def _link(source: str) -> str:
    if source.startswith("https://"):
        return f"<{source}>"
    repository, _, number = source.partition("#")
    return f"[{source}](https://github.com/{repository}/issues/{number})"


def main() -> None:
    """Writes both files into the folder named on the command line."""
    for language, name in FILES.items():
        Path(sys.argv[1], name).write_text(document(language), "utf-8")


if __name__ == "__main__":
    main()
