"""Provisioners in each other's way: one name for two shares, several on one share, or Berth and an old one at once."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from berth.kube.leader import lock_name
from berth.objects import translation
from berth.objects.translation import Location
from berth.operations.install_plan import OLDEST
from berth.operations.looking import scale_down
from berth.operations.takeover.inventory import Group, Inventory, unserved
from berth.operations.takeover.old import Berth, FoundProvisioners, OldProvisioner
from berth.operations.takeover.remark import Remark, several
from berth.operations.takeover.strangers import Other
from berth.settings.install import NAME
from berth.texts.command import command
from berth.texts.text import Text

_NO_NAME = re.compile(r"[^a-z0-9-]+")
"""What can't stand in the name of an installation."""


def serves_already(group: Group, found: FoundProvisioners) -> Berth | None:
    """A Berth that somebody installed for these names."""
    names = set(group.provisioners)
    return next((one for one in found.berths if names <= set(one.provisioners)), None)


def namesakes(chosen: Sequence[OldProvisioner], found: FoundProvisioners) -> tuple[list[OldProvisioner], list[Remark]]:
    """Those that are to be taken over, without those that have no pods while another share's provisioner answers to
    their name; and what is to be said of these.
    """
    left, remarks = [], []
    for one in chosen:
        rival = next((other for other in found.old if _is_rival(one, other) and not other.is_idle), None)
        if one.is_idle and rival is not None:
            remarks.append(_idle(one, rival))
        else:
            left.append(one)
    return left, remarks


def _is_rival(one: OldProvisioner, other: OldProvisioner) -> bool:
    """Whether it answers to the same name for another share."""
    is_here = (one.share.server.lower(), one.share.export) == (other.share.server.lower(), other.share.export)
    return not is_here and bool(set(one.provisioners) & set(other.provisioners))


def _idle(one: OldProvisioner, rival: OldProvisioner) -> Remark:
    return Remark(
        "one-name-two-shares",
        "note",
        f"deployment {one.key}",
        Text(
            f"it answers to a name of {rival.key}, for another share ({one.share}), and has no pods: it does nothing",
            f"它响应 {rival.key} 的名字，但共享目录不同（{one.share}），而且没有 Pod：不起任何作用",
        ),
        Text("it is left alone; leave it without pods", "不会动它；请不要给它 Pod"),
    )


def judge_provisioners(group: Group, found: FoundProvisioners, by: Berth, cluster: Inventory) -> list[Remark]:
    """Who else answers to the same names, or works on the same share. by: the Berth that is to serve."""
    remarks = []
    for one in group.old:
        rivals = [other for other in found.old if _is_rival(one, other) and not other.is_idle]
        remarks += [_two_shares(one, other, cluster) for other in rivals]
    for stranger in found.others:
        shared = set(stranger.provisioners) & set(group.provisioners)
        if shared and (stranger.workload.replicas or stranger.workload.ready):
            remarks.append(_twice(stranger, sorted(shared)))
    missing = set(group.provisioners) - set(by.provisioners)
    if by.replicas and missing:
        remarks.append(_berth_lacks(by, sorted(missing), group))
    is_other = (by.server.lower(), by.export) != (group.share.server.lower(), group.share.export)
    if by.replicas and not missing and is_other:
        remarks.append(_berth_elsewhere(by, group))
    running = [one.key for one in group.old if one.replicas]
    if by.replicas and running and not missing and not any(one.taken_by for one in group.old):
        remarks.append(_both_run(by, running))
    if len(group.old) > 1:
        remarks.append(_several(group))
    return remarks


def _two_shares(one: OldProvisioner, other: OldProvisioner, cluster: Inventory) -> Remark:
    """Which of the two is wanted is for people to say, unless one does all the work: the command ends the other."""
    names = set(one.provisioners) & set(other.provisioners)
    mine, theirs = (_work_of(each, names, cluster) for each in (one, other))
    unwanted = other if _does_more(mine, theirs) else one if _does_more(theirs, mine) else None
    about = unwanted or other
    rival = one if about is other else other
    named = ", ".join(sorted(names))
    return Remark(
        "one-name-two-shares",
        "stop",
        f"deployment {about.key}",
        Text(
            f"it answers to {named} for the share {about.share}, and {rival.key} does for {rival.share}: which of the "
            f"two serves a claim is chance, today as well",
            f"它以 {named} 之名供应 {about.share}，而 {rival.key} 以同名供应 {rival.share}："
            f"现在 PVC 由哪一个供应就已全凭运气",
        ),
        Text(
            f"scale down and delete the one that is not wanted, then plan again ({_told(rival, names, cluster).en}; "
            f"{_told(about, names, cluster).en})",
            f"请缩容并删除不需要的那一个，然后重新执行 plan（{_told(rival, names, cluster).zh}；"
            f"{_told(about, names, cluster).zh}）",
        ),
        (scale_down("deployment", unwanted.namespace, unwanted.name),) if unwanted else (),
    )


def _work_of(one: OldProvisioner, names: set[str], cluster: Inventory) -> tuple[int, int]:
    """Pods that are ready, and PVs of these names on its share."""
    above = f"{one.share.export.rstrip('/')}/"
    places = [translation.location_of(each) for each in cluster.volumes if translation.provisioned_by(each) in names]
    here = [each for each in places if each is not None and each.server.lower() == one.share.server.lower()]
    return one.ready, sum(each.path.startswith(above) for each in here)


def _does_more(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether one works in every respect in which the other does, and the other in one less."""
    pairs = [(bool(a), bool(b)) for a, b in zip(one, other, strict=True)]
    return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)


def _told(one: OldProvisioner, names: set[str], cluster: Inventory) -> Text:
    ready, volumes = _work_of(one, names, cluster)
    return Text(
        f"{one.key}: {several(ready, 'pod')} ready, {several(volumes, 'PV')} on its share",
        f"{one.key}：{ready} 个 Pod 就绪，其共享目录上有 {volumes} 个 PV",
    )


def _twice(stranger: Other, names: list[str]) -> Remark:
    named = ", ".join(names)
    return Remark(
        "one-name-twice",
        "stop",
        stranger.workload.about,
        Text(
            f"it answers to {named}, too, and a take-over does not end it: it would work beside Berth",
            f"它也响应 {named}，而接管不会停止它：它会与 Berth 同时工作",
        ),
        Text("end it first, then plan again", "请先停止它，然后重新执行 plan"),
        stranger.stop,
    )


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
    kubernetes: tuple[int, int], found: FoundProvisioners, cluster: Inventory, *, only: tuple[str, ...]
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
    served += [name for other in found.others for name in other.provisioners]
    if not only:
        remarks += [_unserved(name, places) for name, places in unserved(cluster, served).items()]
    return remarks


def _unserved(name: str, places: Mapping[str, Location]) -> Remark:
    first = next(iter(places.values()))
    install = command(
        "berth install --server {server} --path {path} --no-class --name {name} --provisioner-name {provisioner} "
        "--apply",
        server=first.server,
        path=posixpath.dirname(first.path),
        name=f"{NAME}-{_NO_NAME.sub('-', lock_name(name).lower())[:40]}".strip("-"),
        provisioner=name,
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
        (install,),
        tuple(places),
    )
