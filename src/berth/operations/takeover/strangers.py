"""What is said of workloads that provision, or could, and are not taken over; and of old provisioners themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from berth.objects.provisioning import Kind, needs_self_link
from berth.objects.trust import Trust
from berth.operations.looking import scale_down
from berth.operations.takeover.candidates import Candidate
from berth.operations.takeover.remark import Remark
from berth.texts.command import Shell, command
from berth.texts.text import Text

_SELF_LINK_SINCE = (1, 20)
_SCALED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")
_NFS = re.compile(r"nfs", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Other:
    """A workload that provisions, or could, and is left alone. Trusted: its word counts."""

    workload: Candidate
    provisioners: tuple[str, ...]
    """As far as they are known."""
    kind: Kind
    why: Text | None
    """Why it is left alone; None for a Berth that is no Deployment."""

    @property
    def stop(self) -> tuple[Shell, ...]:
        """The command that ends its pods; none where there is no harmless one."""
        one = self.workload
        if one.kind not in _SCALED:
            return ()
        return (scale_down(one.kind.lower(), one.namespace, one.name),)


def why_not(one: Candidate, trust: Trust) -> Text | None:
    """Why a workload is not trusted; None when it is."""
    account = f"{one.namespace}/{one.account}"
    if trust.trusts(account, workload=one.key):
        return None
    if trust.proven is None:
        return Text(
            f"not trusted, because nobody could be asked what its account {account} may do",
            f"不受信任，因为无法查询其账号 {account} 的权限",
        )
    return Text(
        f"not trusted, because its account {account} has no binding for the whole cluster that lets it make PVs: "
        f"it can provision nothing, and whoever may make workloads in {one.namespace} may have made it",
        f"不受信任，因为其账号 {account} 没有可创建 PV 的集群级绑定：它无法供应任何卷，"
        f"凡能在 {one.namespace} 中创建工作负载的人都可能是它的作者",
    )


def untrusted(one: Candidate, names: tuple[str, ...], why: Text, reason: Text | None) -> Remark:
    """A workload whose word counts for nothing. reason: why it could not be taken over in any case."""
    answers = Text(f"it says that it answers to {', '.join(names)}", f"它自称响应 {'、'.join(names)}")
    looks = Text("it looks like a provisioner", "看起来是供应器")
    said = answers if names else looks
    more = Text(f"; {reason.en}", f"；{reason.zh}") if reason is not None else Text("", "")
    return Remark(
        "provisioner-not-trusted" if reason is None else "provisioner-unclear",
        "warning",
        one.about,
        Text(f"{said.en}: {why.en}{more.en}", f"{said.zh}：{why.zh}{more.zh}"),
        Text(
            "it is left alone, given no rights, and stops nothing. If it is yours, name it",
            "不会动它，不会给它任何权限，它也不妨碍接管。如果它确实是你的，请写明它的名字",
        ),
        (command("berth takeover plan {key}", key=one.key),) if one.kind == "Deployment" else (),
    )


def left_alone(one: Other) -> Iterator[Remark]:
    """A workload that provisions, or could, and can't be taken over."""
    if one.kind == "reference" and one.why is not None:
        yield Remark(
            "provisioner-unclear",
            "warning",
            one.workload.about,
            Text(f"it looks like a reference provisioner, but {one.why.en}", f"看起来是参考供应器，但{one.why.zh}"),
            Text(
                "it is left alone; write PROVISIONER_NAME, NFS_SERVER and NFS_PATH as plain values into a Deployment, "
                "then it can be taken over. If it answers to a name that Berth gets, end it before",
                "不会动它；请改用 Deployment 并直接写明 PROVISIONER_NAME、NFS_SERVER 和 NFS_PATH 的值，之后即可接管。"
                "如果它响应的名字将由 Berth 接手，请先停止它",
            ),
        )
    elif one.provisioners and is_of_nfs(one.workload, one.provisioners):
        names = ", ".join(one.provisioners)
        yield Remark(
            "provisioner-other",
            "note",
            one.workload.about,
            Text(f"it provisions {names}, and is none of the reference's", f"它供应 {names}，但不是参考供应器"),
            Text("it is left alone, with its classes and volumes", "不会动它，也不会动它的存储类和卷"),
        )


def is_of_nfs(one: Candidate, names: tuple[str, ...]) -> bool:
    """Whether a provisioner of whatever kind has to do with NFS, as far as its names tell."""
    words = (*names, *(each.image for each in one.containers), *(each.name for each in one.containers))
    return any(_NFS.search(word) for word in words) or bool(one.nfs_volumes)


def about_old(about: str, image: str, kept_by: str, kubernetes: tuple[int, int]) -> Iterator[Remark]:
    """What one should know of an old provisioner, whatever its share and its classes."""
    if kubernetes >= _SELF_LINK_SINCE and needs_self_link(image):
        release = f"{kubernetes[0]}.{kubernetes[1]}"
        yield Remark(
            "provisioner-too-old",
            "note",
            about,
            Text(
                f"its image {image} needs selfLink, which Kubernetes 1.20 and newer no longer set (this is {release}), "
                f"so its new claims wait",
                f"镜像 {image} 依赖 selfLink，而 Kubernetes 1.20 起不再提供（当前为 {release}），因此新的 PVC 一直等待",
            ),
            Text("Berth serves them after the take-over", "接管之后由 Berth 供应"),
        )
    if kept_by:
        yield Remark(
            "provisioner-kept-by-gitops",
            "warning",
            about,
            Text(
                f"{kept_by} manages it and would scale it up again, beside Berth",
                f"它由 {kept_by} 管理，缩容之后会被恢复，与 Berth 同时运行",
            ),
            Text(
                f"set replicas to 0 in git, or pause {kept_by} for it, before `berth takeover apply`",
                f"在执行 `berth takeover apply` 之前，先在 git 中把 replicas 设为 0，或暂停 {kept_by} 对它的同步",
            ),
        )


def not_looked_at(kinds: tuple[str, ...]) -> Iterator[Remark]:
    """Kinds among which there may be provisioners, and which we may not list."""
    if kinds:
        named = ", ".join(f"{one}s" for one in kinds)
        yield Remark(
            "workloads-unseen",
            "warning",
            "cluster",
            Text(
                f"you may not list {named}: a provisioner among them would not be seen",
                f"你无权列出 {named}：其中若有供应器则无法发现",
            ),
            Text(
                "run it as somebody who may, or see to it that no other provisioner answers to these names",
                "请用有权限的身份运行，或自行确认没有别的供应器响应这些名字",
            ),
        )
