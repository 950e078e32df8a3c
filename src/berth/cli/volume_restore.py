"""`berth volume restore`: a directory that was deleted or archived, back in its place."""

from __future__ import annotations

import click

from berth.cli.cluster import on_cluster
from berth.cli.cluster_options import CONTEXT, KUBECONFIG
from berth.cli.commands import BerthCommand
from berth.cli.manner import language
from berth.cli.output import LANGUAGE, output_option, print_data, say
from berth.kube.manifest import ManifestApi
from berth.operations.pvs import parse_share
from berth.operations.restore import PATIENCE, Restoration, Restored, find_volumes, restore
from berth.shares.choose import Shares
from berth.texts.command import command
from berth.texts.text import Text

DEADLINE = 10.0
"""Seconds for one question to a share."""
SHARE = click.Option(
    ["--share"], metavar="HOST:/EXPORT", default="", help="The volumes' share, where the cluster does not say it."
)


def restore_command() -> click.Command:
    """The command with all its options."""
    return BerthCommand(
        "restore",
        params=[
            click.Argument(["pvs"], metavar="PV...", nargs=-1, required=True),
            click.Option(["--dry-run"], is_flag=True, help="Say what would be done, and do nothing."),
            SHARE,
            click.Option(["--patience"], type=click.FloatRange(0, 600), default=PATIENCE, metavar="SECONDS",
                         show_default=True,
                         help="How long a purge that had begun has to let go, where a PV is made again; 0 if no "
                         "controller runs."),
            output_option(), KUBECONFIG, CONTEXT, LANGUAGE,
        ],
        callback=_restore,
        short_help="Bring a deleted volume back, as long as it is in the trash, or archived.",
        help="Bring volumes back whose directories are still in the trash, or were archived.\n\n"
        "Works over NFS from here; nothing on the share is overwritten. A PV that is gone is made again for the claim "
        "that it had: file that claim again, and it is bound. A volume that was deleted with its claim is kept at its "
        "next end, until `berth volume end` says otherwise. Can be repeated.",
    )  # fmt: skip


def _restore(
    pvs: tuple[str, ...], dry_run: bool, share: str, patience: float, output: str, kubeconfig: str, context: str,
    lang: str | None,
) -> None:  # fmt: skip
    chosen = language(lang)

    def told(one: Restored) -> None:
        if output == "table":
            say(_done(one).said(chosen))

    async def job(api: ManifestApi) -> list[Restored]:
        shares = Shares(timeout=DEADLINE)
        try:
            wanted = await find_volumes(api, shares, pvs, parse_share(share))
            if output == "table":
                for one in wanted:
                    say(_planned(one).said(chosen))
            if dry_run:
                return [_as_planned(one) for one in wanted]
            return await restore(api, shares, wanted, patience=patience, told=told)
        finally:
            await shares.aclose()

    done = on_cluster(job, kubeconfig=kubeconfig, context=context, lang=chosen)
    if output != "table":
        print_data({"dryRun": dry_run, "volumes": done}, output)


def _as_planned(one: Restoration) -> Restored:
    record = one.found.record
    source = "" if one.found.is_in_place else one.found.where
    return Restored(
        one.pv, str(record.owner), str(one.share.address), record.path, source, "", one.known is None, bool(one.end)
    )


def _planned(one: Restoration) -> Text:
    found, address = one.found, one.share.address
    path = found.record.path
    if found.is_in_place:
        en, zh = f"PV {one.pv}: {path} is in its place on {address}", f"PV {one.pv}：{address} 上的 {path} 已在原位"
    else:
        en = f"PV {one.pv}: {found.where} goes back to {path} on {address}"
        zh = f"PV {one.pv}：将 {address} 上的 {found.where} 移回 {path}"
    if one.known is None:
        en += f"; the PV is made again for claim {found.record.owner}"
        zh += f"；重新创建 PV，供 PVC {found.record.owner} 使用"
    elif one.is_ended:
        en += f"; its claim is gone, so from now on it is kept, for a new claim {found.record.owner}"
        zh += f"；其 PVC 已不存在，此后予以保留，供新的 PVC {found.record.owner} 使用"
    if one.must_wait:
        en += "; a purge may have begun, so a part may be gone: compare it with what should be there"
        zh += "；清理可能已经开始，部分数据可能已被删除：请与应有的内容核对"
    return Text(en, zh)


def _done(one: Restored) -> Text:
    if one.is_kept:
        change = command("berth volume end {pv} delete", pv=one.pv)
        return Text(
            f"PV {one.pv} is {one.phase or 'there'} again with its data: a claim {one.claim} of the same class and "
            f"size gets it; it is kept at its end, which `{change}` changes",
            f"PV {one.pv} 及其数据已恢复（{one.phase or '已存在'}）："
            f"同名、同 StorageClass 和大小的 PVC {one.claim} 会绑定到它；"
            f"它在 PVC 删除后会保留，可用 `{change}` 更改",
        )
    return Text(
        f"PV {one.pv} of claim {one.claim} is {one.phase} and has its directory; pods that wait for it start by "
        f"themselves, those with stale handles have to be restarted",
        f"PVC {one.claim} 的 PV {one.pv} 状态为 {one.phase}，目录已在原位；"
        f"等待它的 Pod 会自行启动，持有失效句柄的需要重启",
    )
