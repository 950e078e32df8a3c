"""One object and all that it hangs on: pod -> claim -> PV -> class -> provisioner -> share; what a report says of it.

Where nothing is wrong, that is said, and what the object waits for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from berth.doctor.cluster import claims as pending_claims
from berth.doctor.cluster.mounting import is_waiting
from berth.doctor.cluster.outages import share_key
from berth.doctor.cluster.provisioners import Provisioners, nearest
from berth.doctor.cluster.refusing import accessor_finding, refusing
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Report, Subject, Unseen, report
from berth.objects import kinds, runtime
from berth.objects.translation import class_name_of, location_of, provisioned_by
from berth.texts.command import Shell, command
from berth.texts.text import Text
from berth.volumes.server_name import on_server

SHARES, OUTAGES = "shares", "outages"
"""The checks that tell of the shares."""
_EVERYWHERE = "webhook-unreachable"
"""The failure that concerns every claim, whatever it names."""
_DEFAULT = "default-class-several"
"""The failure that concerns every claim without a class."""


@dataclass
class Dependencies:
    """The objects that one object hangs on, in order, and what it waits for."""

    subjects: dict[Subject, None] = field(default_factory=dict)
    waits: Text | None = None
    takes_default: bool = False
    """Whether it has a claim that names no class, or one that does not exist: several defaults may be why."""
    extra: list[Finding] = field(default_factory=list)

    def add(self, kind: str, name: str) -> None:
        self.subjects.setdefault(Subject(kind, name))

    def wait(self, en: str, zh: str) -> None:
        """The first reason is the one that counts."""
        if self.waits is None:
            self.waits = Text(en, zh)


def about_one(about: Subject, whole: Report, snapshot: Snapshot, provisioners: Provisioners) -> Report:
    """The part of a report on the whole cluster that concerns one object."""
    plural = {"claim": "persistentvolumeclaims", "volume": "persistentvolumes", "pod": "pods"}[about.kind]
    if not snapshot.sees(plural):
        return replace(whole, findings=())
    behind = Dependencies()
    found = _find(about, snapshot)
    if found is None:
        kept = [each for each in whole.findings if each.id in (_EVERYWHERE, _DEFAULT) and about.kind == "claim"]
        return _with(whole, [*missing(about, snapshot), *kept])
    behind.add(about.kind, about.name)
    match found:
        case runtime.Pod():
            _pod(behind, snapshot, provisioners, found)
        case kinds.ClaimObject():
            _claim(behind, snapshot, provisioners, found)
        case kinds.VolumeObject():
            _volume(behind, snapshot, provisioners, found)
    findings = [_narrowed(each, behind) for each in whole.findings if _concerns(each, behind, about)]
    findings += behind.extra
    shares = [each.name for each in behind.subjects if each.kind == "share"]
    unseen = [each for each in whole.unseen if each.check not in (SHARES, OUTAGES) or _is_of_one(each, shares)]
    whole = replace(whole, unseen=tuple(unseen))
    if all(each.severity == "note" and about not in each.about[:1] for each in findings):
        findings.append(_nothing(about, behind))
    return _with(whole, findings)


def _with(whole: Report, findings: list[Finding]) -> Report:
    return report(findings, whole.unseen, whole.checks)


def _find(about: Subject, snapshot: Snapshot) -> kinds.Object | None:
    match about.kind:
        case "claim":
            return snapshot.claim_of.get(about.name)
        case "volume":
            return snapshot.volume_of.get(about.name)
    return snapshot.pod_of.get(about.name)


def _pod(behind: Dependencies, snapshot: Snapshot, provisioners: Provisioners, pod: runtime.Pod) -> None:
    kind, workload = snapshot.workload_behind(pod)
    if kind != "Pod":
        behind.add("workload", f"{pod.namespace}/{workload}")
    if pod.spec.nodeName:
        behind.add("node", pod.spec.nodeName)
    for each in pod.spec.volumes or ():
        if each.nfs is not None:
            behind.add("share", on_server(each.nfs.server, each.nfs.path))
    for key in pod.claims:
        claim = snapshot.claim_of.get(key)
        behind.add("claim", key)
        if claim is not None:
            _claim(behind, snapshot, provisioners, claim)
        elif snapshot.sees("persistentvolumeclaims"):
            behind.takes_default = True
            name = key.partition("/")[2]
            behind.extra.append(find("claim-not-found", Subject("pod", pod.key), variant="pod", claim_name=name))
    if not pod.spec.nodeName and pod.status.phase == "Pending":
        said = next((each.message for each in pod.status.conditions or () if each.type == "PodScheduled"), "")
        behind.wait(f"a node to take it ({said or 'the scheduler'})", f"被调度到节点（{said or '调度器'}）")
    elif is_waiting(pod):
        behind.wait("kubelet to mount its volumes and start it", "kubelet 挂载卷并启动")


def _claim(behind: Dependencies, snapshot: Snapshot, provisioners: Provisioners, claim: kinds.ClaimObject) -> None:
    behind.add("claim", claim.key)
    behind.add("namespace", claim.namespace)
    name = class_name_of(claim)
    behind.takes_default |= name is None
    volume = snapshot.volume_of.get(claim.spec.volumeName)
    if volume is not None:
        _volume(behind, snapshot, provisioners, volume)
    elif name:
        _class(behind, snapshot, provisioners, name)
    if claim.status.phase == "Pending":
        of_class = snapshot.class_of.get(name or "")
        if of_class is not None and of_class.volumeBindingMode == "WaitForFirstConsumer":
            behind.wait("its pod to be scheduled", "使用它的 Pod 被调度")
        elif of_class is not None:
            seconds = pending_claims.PATIENCE
            behind.wait(
                f"the provisioner {of_class.provisioner} (more is said after {seconds:g} s)",
                f"制备器 {of_class.provisioner}（超过 {seconds:g} 秒会进一步说明）",
            )
        else:
            behind.wait("a PV that fits", "合适的 PV")
    if claim.metadata.deletionTimestamp:
        behind.wait("its finalizers to be taken off", "finalizer 被移除")


def _volume(behind: Dependencies, snapshot: Snapshot, provisioners: Provisioners, volume: kinds.VolumeObject) -> None:
    behind.add("volume", volume.name)
    place = location_of(volume)
    if place is not None:
        behind.add("share", on_server(*place))
    bound = volume.spec.claimRef
    if bound is not None:
        behind.add("claim", f"{bound.namespace}/{bound.name}")
    if volume.spec.storageClassName:
        _class(behind, snapshot, provisioners, volume.spec.storageClassName)
    _provisioner(behind, provisioners, provisioned_by(volume))
    match volume.status.phase:
        case "Available":
            behind.wait("a claim that fits", "合适的 PVC")
        case "Released" if volume.spec.persistentVolumeReclaimPolicy == "Delete":
            name = provisioned_by(volume)
            behind.wait(f"its provisioner {name} to clear up", f"制备器 {name} 完成清理")


def _class(behind: Dependencies, snapshot: Snapshot, provisioners: Provisioners, name: str) -> None:
    behind.add("class", name)
    of_class = snapshot.class_of.get(name)
    if of_class is not None:
        _provisioner(behind, provisioners, of_class.provisioner)
        share = provisioners.share_of(of_class)
        if share:
            behind.add("share", share)


def _provisioner(behind: Dependencies, provisioners: Provisioners, name: str) -> None:
    if not name:
        return
    behind.add("provisioner", name)
    for each in provisioners.of(name):
        behind.add("workload", each.key)
        for pod in each.pods:
            behind.add("pod", pod.key)
        behind.add("lease", f"{each.namespace}/{each.lock}")
        if each.share:
            behind.add("share", each.share)


def _narrowed(finding: Finding, behind: Dependencies) -> Finding:
    """Without the other objects that the same is wrong with."""
    kept = [each for number, each in enumerate(finding.about) if number == 0 or each in behind.subjects]
    return replace(finding, about=tuple(kept))


def _is_of_one(unseen: Unseen, shares: list[str]) -> bool:
    """Whether the share that could not be seen is one of these, or one of these lies in it."""
    share = unseen.about.name.rstrip("/") if unseen.about is not None else ""
    return bool(share) and any(f"{each}/".startswith(f"{share}/") for each in shares)


def _concerns(finding: Finding, behind: Dependencies, about: Subject) -> bool:
    if finding.id == _EVERYWHERE and about.kind != "volume":
        return True
    if finding.id == _DEFAULT:
        return behind.takes_default
    if about in finding.about:
        return True
    # Of findings about other objects like it those count that are about something it hangs on, such as its class.
    leading = finding.about[0] if finding.about else None
    is_of_another = leading is not None and (
        leading.kind == about.kind or (leading.kind == "class" and leading not in behind.subjects)
    )
    return (
        not is_of_another
        and any(each in behind.subjects for each in finding.about if each.kind not in ("node", "namespace", "share"))
    ) or (leading is not None and leading.kind == "share" and _is_behind(leading, finding.harm == "outage", behind))


def _is_behind(share: Subject, is_down: bool, behind: Dependencies) -> bool:
    """Whether the object hangs on the share itself; on one that is down also what lies in it does."""
    if share in behind.subjects:
        return True
    key = share_key(share.name).rstrip("/")
    places = (share_key(each.name) for each in behind.subjects if each.kind == "share") if is_down else ()
    return any(f"{each}/".startswith(f"{key}/") for each in places)


def _nothing(about: Subject, behind: Dependencies) -> Finding:
    namespace, _, name = about.name.partition("/")
    kind = {"claim": "pvc", "volume": "pv", "pod": "pod"}[about.kind]
    where = command("-n {namespace} ", namespace=namespace) if name else Shell()
    watch = command("kubectl {where}get {kind} {name} -w", where=where, kind=kind, name=name or about.name)
    links = [each.text for each in behind.subjects if each.kind not in ("namespace", "lease")]
    return find(
        "nothing-wrong",
        about,
        variant={"waits": behind.waits is not None},
        what=about.text,
        waits=behind.waits,
        chain=Text(" -> ".join(each.en for each in links), " -> ".join(each.zh for each in links)),
        watch=watch,
    )


def missing(about: Subject, snapshot: Snapshot) -> Iterator[Finding]:
    """What can be said of an object that does not exist."""
    namespace, _, name = about.name.rpartition("/")
    known: dict[str, Mapping[str, object]] = {
        "claim": snapshot.claim_of,
        "volume": snapshot.volume_of,
        "pod": snapshot.pod_of,
    }
    there = known[about.kind]
    near = nearest(about.name, there)
    if near is None and name:
        near = next((key for key in sorted(there) if key.endswith(f"/{name}")), None)
    listed = {"claim": "pvc", "volume": "pv", "pod": "pods"}[about.kind]
    is_empty = (
        bool(namespace) and snapshot.sees("namespaces") and namespace not in {each.name for each in snapshot.namespaces}
    )
    yield find(
        "object-missing",
        about,
        variant={"near": near is not None, "namespace": is_empty},
        what=about.text,
        near=near,
        namespace=namespace,
        listed=[listed, "-n", namespace] if namespace else [listed],
    )
    if about.kind == "claim" and not is_empty:
        for of_class in snapshot.classes:
            accessor = refusing(snapshot, namespace, of_class.name)
            if accessor is not None:
                yield accessor_finding(namespace, of_class.name, accessor)
