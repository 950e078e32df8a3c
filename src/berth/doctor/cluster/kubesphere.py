"""What KubeSphere's console greys out because a class does not say whether it can do it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject
from berth.texts.text import Text

_SYSTEM = "kubesphere-system"
_SERVER_4 = re.compile(r"/ks-apiserver:v?4\.")
_SAID = ("storageclass.kubesphere.io/allow-clone", "storageclass.kubesphere.io/allow-snapshot")
_EXPAND = Text("expansion", "扩容")
_COPIES = Text("clone and snapshot", "克隆和快照")
_ALL = Text("expansion, clone and snapshot", "扩容、克隆和快照")


def judge_console(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Classes of NFS that leave open what the console asks. What is said, yes or no, is meant so.

    KubeSphere 3.2 to 3.4 take the annotations away again where the provisioner is no CSI driver: there nothing is told.
    """
    if all(each.name != _SYSTEM for each in snapshot.namespaces):
        return
    drivers = {each.name for each in snapshot.drivers}
    is_4 = _is_4(snapshot)
    for each in provisioners.nfs_classes:
        expands = each.allowVolumeExpansion is None and provisioners.is_berth(each.provisioner)
        unsaid = is_4 and each.provisioner not in drivers and not each.annotations.keys() >= set(_SAID)
        if expands or unsaid:
            yield find(
                "kubesphere-buttons-grey",
                Subject("class", each.name),
                variant={"copies": unsaid, "both": unsaid and expands},
                buttons=_ALL if expands and unsaid else _EXPAND if expands else _COPIES,
            )


def _is_4(snapshot: Snapshot) -> bool:
    return any(
        pod.namespace == _SYSTEM and any(_SERVER_4.search(f"/{each.image}") for each in pod.spec.containers)
        for pod in snapshot.pods
    )
