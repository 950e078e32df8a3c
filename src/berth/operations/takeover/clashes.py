"""Provisioners in each other's way: one name for two shares, several on one share, or Berth and an old one at once."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Mapping

from berth.kube.leader import lock_name
from berth.operations.install import OLDEST
from berth.operations.takeover.inventory import Cluster, Group, unserved
from berth.operations.takeover.old import Berth, Found
from berth.operations.takeover.remark import Remark, several
from berth.reconcilers.objects import Place
from berth.settings.install import NAME
from berth.texts.text import Text


def serves_already(group: Group, found: Found) -> Berth | None:
    """A Berth that somebody installed for these names."""
    names = set(group.provisioners)
    return next((one for one in found.berths if names <= set(one.provisioners)), None)


def judge_provisioners(group: Group, found: Found, by: Berth) -> list[Remark]:
    """Who else answers to the same names, or works on the same share. by: the Berth that is to serve."""
    remarks = []
    mine = {one.key for one in group.old}
    for other in found.old:
        shared = set(other.provisioners) & set(group.provisioners)
        if other.key not in mine and shared:
            names = ", ".join(sorted(shared))
            remarks.append(
                Remark(
                    "one-name-two-shares",
                    "stop",
                    f"deployment {other.key}",
                    Text(
                        f"it answers to {names}, too, for another share ({other.share}); which of the two serves a "
                        f"claim is chance, today as well",
                        f"它也以 {names} 之名供应另一个共享目录（{other.share}）；现在 PVC 由哪一个供应就已全凭运气",
                    ),
                    Text(
                        "scale down and delete the one that is not wanted, then plan again",
                        "请缩容并删除不需要的那一个，然后重新执行 plan",
                    ),
                    (f"kubectl -n {other.namespace} scale deployment {other.name} --replicas=0",),
                )
            )
    missing = set(group.provisioners) - set(by.provisioners)
    if by.replicas and missing:
        remarks.append(_berth_lacks(by, sorted(missing), group))
    is_other = (by.server.lower(), by.export) != (group.share.server.lower(), group.share.export)
    if by.replicas and not missing and is_other:
        remarks.append(_berth_elsewhere(by, group))
    running = [one.key for one in group.old if one.replicas]
    if by.replicas and running and not any(one.taken_by for one in group.old):
        remarks.append(_both_run(by, running))
    if len(group.old) > 1:
        remarks.append(_several(group))
    return remarks


def _berth_lacks(by: Berth, missing: list[str], group: Group) -> Remark:
    names = ",".join(dict.fromkeys((*by.provisioners, *group.provisioners)))
    return Remark(
        "berth-lacks-name",
        "note",
        f"deployment {by.key}",
        Text(
            f"Berth runs there already and does not answer to {', '.join(missing)} yet",
            f"那里已有 Berth 在运行，但还不响应 {'、'.join(missing)}",
        ),
        Text(
            f"apply adds the name; where Berth is run otherwise, set PROVISIONER_NAME to {names}",
            f"apply 会加上；若 Berth 由别的方式部署，请把 PROVISIONER_NAME 设为 {names}",
        ),
    )


def _berth_elsewhere(by: Berth, group: Group) -> Remark:
    here = f"{by.server}:{by.export}" if by.server else "-"
    return Remark(
        "berth-elsewhere",
        "stop",
        f"deployment {by.key}",
        Text(
            f"Berth answers to these names already, but its default share is {here}, not {group.share}: classes that "
            f"name no share would get the other one",
            f"Berth 已响应这些名字，但它的默认共享目录是 {here} 而不是 {group.share}：没有写明共享目录的存储类会用错",
        ),
        Text(
            f"set NFS_SERVER={group.share.server} and NFS_PATH={group.share.export} there",
            f"请在那里设置 NFS_SERVER={group.share.server} 和 NFS_PATH={group.share.export}",
        ),
    )


def _both_run(by: Berth, running: list[str]) -> Remark:
    return Remark(
        "both-run",
        "warning",
        f"deployment {by.key}",
        Text(
            f"Berth and {', '.join(running)} answer to the same name at the same time",
            f"Berth 和 {'、'.join(running)} 正同时响应同一个名字",
        ),
        Text("apply ends that: the old one is scaled down", "apply 会把旧的缩容，从而结束这种状况"),
    )


def _several(group: Group) -> Remark:
    names = Counter(name for one in group.old for name in one.provisioners)
    twice = sorted(name for name, count in names.items() if count > 1)
    same = Text(f"; of them several answer to {', '.join(twice)}", f"，其中有几个响应 {'、'.join(twice)}")
    return Remark(
        "several-on-one-share",
        "note",
        f"share {group.share}",
        Text(
            f"{several(len(group.old), 'old provisioner')} work on it: {', '.join(one.key for one in group.old)}"
            + (same.en if twice else ""),
            f"有 {len(group.old)} 个旧供应器在用它：{'、'.join(one.key for one in group.old)}"
            + (same.zh if twice else ""),
        ),
        Text("one Berth takes over all of them", "由同一个 Berth 一并接管"),
    )


def judge_cluster(
    kubernetes: tuple[int, int], found: Found, cluster: Cluster, *, only: tuple[str, ...]
) -> list[Remark]:
    """What concerns no single share. only: the provisioners that are asked about; empty: all."""
    about = {f"deployment {key}" for key in only}
    remarks = [one for one in found.unclear if not only or one.about in about]
    if kubernetes < OLDEST:
        release, oldest = (".".join(map(str, one)) for one in (kubernetes, OLDEST))
        remarks.append(
            Remark(
                "kubernetes-too-old",
                "stop",
                "cluster",
                Text(f"it runs Kubernetes {release}", f"Kubernetes 版本为 {release}"),
                Text(f"Berth needs {oldest} or newer", f"Berth 需要 {oldest} 或更新的版本"),
            )
        )
    served = [name for old in found.old for name in old.provisioners]
    served += [name for berth in found.berths for name in berth.provisioners]
    if not only:
        remarks += [_unserved(name, places) for name, places in unserved(cluster, served).items()]
    return remarks


def _unserved(name: str, places: Mapping[str, Place]) -> Remark:
    first = next(iter(places.values()))
    command = (
        f"berth install --server {first.server} --path {posixpath.dirname(first.path)} --no-class "
        f"--name {NAME}-{lock_name(name).replace('.', '-')[:40].lower().strip('-')} --provisioner-name {name} --apply"
    )
    return Remark(
        "provisioner-gone",
        "note",
        f"provisioner {name}",
        Text(
            f"{several(len(places), 'NFS PV')} are its, and no Deployment with that name is there: nobody cleans up "
            f"when their claims go",
            f"有 {len(places)} 个 NFS PV 属于它，但没有任何 Deployment 以此为名：这些 PVC 删除后没有谁来清理",
        ),
        Text(
            "if it provisioned directories as these ones do, Berth can serve them under its name (check the path that "
            "is exported)",
            "如果它也是这样供应目录的，可以让 Berth 以它的名字继续供应（请核对导出的路径）",
        ),
        (command,),
        tuple(places),
    )
