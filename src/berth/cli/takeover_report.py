"""A take-over as a person reads it: the plan, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator

from berth.cli.output import Styled, say
from berth.cli.server.answering import marks
from berth.cli.tables import print_table
from berth.findings.finding import Finding, Severity
from berth.findings.render import note_of
from berth.operations.takeover.apply import TakenOver
from berth.operations.takeover.ends import ends_of
from berth.operations.takeover.findings import called, object_of
from berth.operations.takeover.old import OldProvisioner
from berth.operations.takeover.plan import GroupPlan, TakeoverPlan, Wanted
from berth.operations.takeover.revert import Reverted
from berth.texts.command import Shell, command
from berth.texts.counting import several, some
from berth.texts.text import Language, Text
from berth.texts.visible import fact

_HEADINGS = Text(
    "DEPLOYMENT|PROVISIONER|SHARE|PODS|CLASSES|PVS|DIRECTORIES|STATE",
    "Deployment|制备器|共享|POD|StorageClass|PV|目录|状态",
)
_WEIGHTS: dict[Severity, Text] = {
    "failure": Text("STOP", "必须先解决"),
    "warning": Text("warning", "警告"),
    "note": Text("note", "提示"),
}
_COLOURS: dict[Severity, str] = {"failure": "failed", "warning": "warning", "note": "note"}
_KINDS = {
    "class": "StorageClass", "share": "共享", "deployment": "Deployment", "provisioner": "制备器", "volumes": "卷",
    "cluster": "集群",
}  # fmt: skip
_DO = Text("do ", "处理")


def print_plan(plan: TakeoverPlan, wanted: Wanted, lang: Language) -> None:
    """Who is there, what is wrong, what would be done."""
    if not plan.groups:
        say(Text("No old provisioner was found: nothing to take over.", "没有找到旧制备器，无需接管。").said(lang))
    else:
        rows = [_row(one, old, lang) for one in plan.groups for old in one.group.old]
        print_table(_HEADINGS.said(lang).split("|"), rows)
    findings = plan.every_finding
    if findings:
        say()
    for finding in findings:
        _print_finding(finding, lang)
    for one in plan.groups:
        say()
        for text in _steps(one, wanted):
            say(text.said(lang))
    if plan.groups:
        say()
        say(
            Text(
                "No PV, claim or directory is changed by a take-over, and pods notice nothing. `berth takeover revert` "
                "goes back.",
                "接管不会改动任何 PV、PVC 和目录，Pod 毫无感知。用 `berth takeover revert` 可以回退。",
            ).said(lang)
        )


def _row(plan: GroupPlan, old: OldProvisioner, lang: Language) -> tuple[str, ...]:
    group, seen = plan.group, plan.seen
    names = set(old.provisioners)
    volumes = [one for one in group.volumes if one.provisioner in names]
    there = sum(one.pv in seen.present for one in volumes)
    if plan.is_done:
        state = Text(f"taken over by {plan.by.key}", f"已由 {plan.by.key} 接管")
    elif old.taken_by:
        state = Text("half taken over", "接管了一半")
    elif old.ready:
        state = Text("serves", "正在服务")
    else:
        state = Text("no pod is ready", "没有就绪的 Pod") if old.replicas else Text("without pods", "没有 Pod")
    return (
        old.key,
        ", ".join(old.provisioners),
        str(group.share),
        f"{old.ready}/{old.replicas}",
        ", ".join(one.name for one in group.classes if one.provisioner in names) or "-",
        str(len(volumes)),
        "?" if seen.why else f"{there}/{len(volumes)}",
        state.said(lang),
    )  # fmt: skip


def _print_finding(finding: Finding, lang: Language) -> None:
    label = Styled(_WEIGHTS[finding.severity].said(lang), marks([_COLOURS[finding.severity]])[0])
    colon = "：" if lang == "zh" else ": "
    kind, name = object_of(finding)
    about = f"{_KINDS.get(kind, kind)} {name}".strip() if lang == "zh" else called(finding)
    say(label, f"  {fact(about)}{colon}{finding.seen.said(lang)}")
    say(f"  {_DO.said(lang)}  {finding.do.said(lang)}")
    for each in finding.commands:
        say("       ", each)
        if note := note_of(each, lang):
            say("       ", note)


def _steps(plan: GroupPlan, wanted: Wanted) -> Iterator[Text]:
    group, by = plan.group, plan.by
    if plan.is_done:
        yield Text(
            f"{group.share} is taken over; apply would only check it again.",
            f"{group.share} 已接管；再次 apply 只会重新检查。",
        )
        return
    yield Text(
        f"What `berth takeover apply` would do for {group.share}:", f"`berth takeover apply` 会对 {group.share} 做："
    )
    old, names = ", ".join(one.key for one in group.old), ",".join(group.provisioners)
    if plan.is_installing:
        yield Text(
            f"  1. start Berth as {by.key}, standing by as {','.join(plan.own)}, and wait until it is ready",
            f"  1. 启动 Berth（{by.key}），以 {','.join(plan.own)} 之名待命，等待它就绪",
        )
    else:
        yield Text("  1. install nothing (--no-install)", "  1. 不安装任何东西（--no-install）")
    yield Text(
        f"  2. scale {old} down, wait until its pods are gone and its lock is free (some 15 s)",
        f"  2. 缩容 {old}，等待其 Pod 结束、锁释放（约 15 秒）",
    )
    if wanted.with_share:
        yield Text(
            f"  3. write records of {several(plan.to_record, 'volume')} below {group.share}/.berth",
            f"  3. 在 {group.share}/.berth 下为 {plan.to_record} 个卷写记录",
        )
    else:
        yield Text("  3. write no records (--without-share)", "  3. 不写记录（--without-share）")
    if plan.is_installing:
        yield Text(
            f"  4. hand the names {names} to Berth, and wait until it serves" + _waiting(plan).en,
            f"  4. 把名字 {names} 交给 Berth，等待它开始服务" + _waiting(plan).zh,
        )
    else:
        yield Text(
            f"  4. wait until the Berth that you run serves {names}" + _waiting(plan).en,
            f"  4. 等待你运行的 Berth 开始为 {names} 服务" + _waiting(plan).zh,
        )
    yield Text(
        f"  5. look at the directories of all {several(len(group.volumes), 'volume')} again",
        f"  5. 再次查看全部 {len(group.volumes)} 个卷的目录",
    )
    for end in ends_of(group):
        yield Text(f"  {end.en}", f"  {end.zh}")
    yield Text(
        f"  What goes wrong before Berth serves puts {old} back by itself.",
        f"  在 Berth 开始服务之前若有任何失败，会自动恢复 {old}。",
    )


def _waiting(plan: GroupPlan) -> Text:
    count = len(plan.group.waiting)
    if not count:
        return Text("", "")
    return Text(f" (waiting for that: {several(count, 'claim')})", f"（现有 {count} 个 PVC 在等待）")


def print_taken(taken: list[TakenOver], back: Shell, lang: Language) -> None:
    """What became of it."""
    if not taken:
        say(Text("No old provisioner was found: nothing to take over.", "没有找到旧制备器，无需接管。").said(lang))
        return
    for one in taken:
        say()
        for text in _taken(one):
            say(text.said(lang))
    say()
    say(
        Text(
            f"The old Deployments are kept, without pods, for the way back: `{back}`.",
            f"旧的 Deployment 保留着（没有 Pod），以便回退：`{back}`。",
        ).said(lang)
    )


def _taken(one: TakenOver) -> Iterator[Text]:
    names = ", ".join(one.provisioners)
    gap = Text(f"; for {one.seconds:g} s nobody did", f"；其间有 {one.seconds:g} 秒无人服务")
    yield Text(
        f"{one.share}: Berth ({one.by}) serves {names}" + (gap.en if one.seconds else ""),
        f"{one.share}：Berth（{one.by}）正在为 {names} 服务" + (gap.zh if one.seconds else ""),
    )
    yield Text(
        f"  {one.checked} of {several(one.volumes, 'volume')} seen over NFS afterwards",
        f"  之后通过 NFS 看到 {one.volumes} 个卷中 {one.checked} 个的目录",
    )
    yield Text(
        f"  records: {one.recorded.written} written, {one.recorded.present} were there",
        f"  记录：新写 {one.recorded.written} 个，已有 {one.recorded.present} 个",
    )
    for pvs, text in (
        (one.lost,
         Text("GONE since the beginning, though in use: look at the server", "接管期间消失但仍在使用，请检查服务器")),
        (one.missing, Text("missing before already", "接管前就已缺失")),
        (one.unrecorded, Text("without a record, since nothing shows that the directory is theirs; it will be kept",
                              "无法证明目录归属，未写记录；目录会保留")),
        (tuple(f"{pv} ({why})" for pv, why in one.recorded.refused), Text("without a record", "未能写记录")),
    ):  # fmt: skip
        if pvs:
            named = some(pvs)
            yield Text(f"  {text.en}: {named.en}", f"  {text.zh}：{named.zh}")


def print_reverted(back: list[Reverted], lang: Language) -> None:
    """What became of the way back."""
    if not back:
        say(
            Text(
                "Nothing is taken over (no Deployment says so): there is nothing to go back from.",
                "没有处于接管状态的制备器（没有 Deployment 带有接管标记），无需回退。",
            ).said(lang)
        )
    for one in back:
        say()
        for text in _reverted(one):
            say(text.said(lang))


def _reverted(one: Reverted) -> Iterator[Text]:
    old = ", ".join(one.old)
    if one.waits_for:
        yield Text(f"{old} is scaled up, but not ready: {one.waits_for}", f"{old} 已扩容，但尚未就绪：{one.waits_for}")
    else:
        again = [key for key in one.old if key not in one.never_ready]
        if again:
            yield Text(f"serving again: {', '.join(again)}", f"已恢复服务：{'、'.join(again)}")
    if one.never_ready:
        never = ", ".join(one.never_ready)
        yield Text(
            f"scaled up as it was: {never}; it had no ready pod before the take-over either, so it is not waited for",
            f"已恢复原来的副本数：{never}；它在接管之前也没有就绪的 Pod，因此不等待它就绪",
        )
    if one.share_why:
        yield Text(
            f"  Berth's records were left on the share, which does no harm: {one.share_why}",
            f"  Berth 的记录留在共享上，没有害处：{one.share_why}",
        )
    else:
        yield Text(
            f"  {several(one.records_removed, 'record')} removed; all directories are as they were",
            f"  删除了 {one.records_removed} 个记录；所有目录保持原样",
        )
    if one.born:
        yield Text(
            f"  kept: {several(one.born, 'volume')} that Berth made in between; the old provisioner deletes or "
            f"archives these like its own",
            f"  其间由 Berth 创建的 {one.born} 个卷保留；旧制备器会像对待自己的卷一样删除或归档它们",
        )
    if one.not_deletable:
        named, count = some(one.not_deletable), len(one.not_deletable)
        yield Text(
            f"  {several(count, 'volume')} lie deeper than the share's root, or elsewhere: as before the take-over, "
            f"release 4.0.2 won't find their directories when their claims go, and leaves them behind: {named.en}",
            f"  有 {count} 个卷位于更深的目录或别处：和接管之前一样，PVC 删除后 4.0.2 版旧制备器找不到它们的目录，"
            f"会遗留下来：{named.zh}",
        )
    if one.held:
        named = some(one.held)
        yield Text(
            f"  these PVs were deleted by hand and wait for Berth, which would take their directories away; take Berth "
            f"back for that, or remove their finalizer yourself and keep the directories: {named.en}",
            f"  以下 PV 被手工删除，正等待 Berth 处理其目录；可再次接管让 Berth 完成，"
            f"或自行去掉 finalizer 并保留目录：{named.zh}",
        )
    if one.trash:
        yield Text(
            f"  {several(one.trash, 'deleted volume')} wait below .berth/trash on the share; Berth purges them when it "
            f"runs again, or remove them by hand",
            f"  共享的 .berth/trash 下还有 {one.trash} 个已删除的卷；Berth 再次运行时会清除，也可手工删除",
        )
    if one.goes_on_as:
        yield Text(
            f"  Berth ({one.by}) goes on as {', '.join(one.goes_on_as)}",
            f"  Berth（{one.by}）继续以 {'、'.join(one.goes_on_as)} 之名工作",
        )
    elif one.is_installed:
        namespace, _, name = one.by.partition("/")
        remove = command("berth uninstall --name {name} --namespace {namespace}", name=name, namespace=namespace)
        yield Text(
            f"  Berth stays installed, without pods; `{remove}` removes it",
            f"  Berth 仍保留安装（没有 Pod）；`{remove}` 可卸载",
        )
