"""A reference provisioner as a cluster shows it: Deployment, account, lock, classes, and volumes as it lays them out.

Its program does not run here. What it leaves in the cluster and on the share does: its pods are the controller
manager's, its lock is renewed as long as they are there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from tests.e2e import api
from tests.e2e.api import Api, ApiError, Object
from tests.e2e.site import Site

LOCK = "control-plane.alpha.kubernetes.io/leader"
MADE = "made-for"
"""Label of the PVs, by which a test finds them again. Real ones have none."""
LASTS = 2
"""Seconds that the lock lasts; a real one's 15 would be spent waiting."""

POSTS_AT_ONCE = 8


@dataclass(frozen=True)
class Wanted:
    """A volume to be made: its claim, and where its directory is (empty: where the reference puts it by default)."""

    claim: str
    of_class: str
    path: str = ""
    labels: Mapping[str, str] | None = None


class Predecessor:
    """One Deployment of a reference provisioner."""

    def __init__(
        self,
        site: Site,
        name: str,
        provisioner: str,
        *,
        image: str,
        lock: Literal["Endpoints", "Lease"],
        replicas: int = 1,
        export: str = "",
    ) -> None:
        """site: whose share it serves, and in whose namespace it runs. export: another one than the site's."""
        self.site = site
        self.name = name
        self.provisioner = provisioner
        self.lock = lock
        self._export = export or site.export
        self._path = f"/apis/apps/v1/namespaces/{site.namespace}/deployments"
        site.provisioners.append(provisioner)
        site.api.create(
            f"/api/v1/namespaces/{site.namespace}/serviceaccounts",
            {"metadata": {"name": name, "namespace": site.namespace}},
        )
        site.api.create(self._path, self._deployment(image, replicas))

    @property
    def key(self) -> str:
        return f"{self.site.namespace}/{self.name}"

    @property
    def deployment(self) -> Object:
        found = self.site.api.get(f"{self._path}/{self.name}")
        assert found is not None
        return found

    @property
    def pods(self) -> list[Object]:
        return self.site.api.list(f"/api/v1/namespaces/{self.site.namespace}/pods", labelSelector=f"app={self.name}")

    def of_class(self, parameters: Mapping[str, str], **changes: Any) -> str:
        """A class of its, with no word of a server."""
        return self.site.make_class(parameters, provisioner=self.provisioner, **changes)

    def live(self) -> None:
        """What its pods and their kubelet do in a moment: they are ready, and renew the lock."""
        pods = [pod for pod in self.pods if not pod["metadata"].get("deletionTimestamp")]
        for pod in pods:
            if pod["status"].get("phase") != "Running":
                be_ready(self.site.api, pod)
        if pods:
            self._renew(pods[0]["metadata"]["name"])

    def provision(self, wanted: Iterable[Wanted]) -> list[Object]:
        """Many Bound volumes with data in them, at once. Their PVs."""

        def make(one: Wanted) -> tuple[str, str]:
            claim = self.site.file_claim(one.claim, one.of_class, labels=one.labels)
            pv = f"pvc-{claim['metadata']['uid']}"
            path = one.path or f"{self.site.namespace}-{one.claim}-{pv}"
            directory = self.site.root / path
            directory.mkdir(parents=True)
            directory.chmod(0o777)
            text = f"the data of {pv}\n"
            (directory / "sentinel").write_text(text)
            self.site.sentinels[pv] = text
            self.site.api.create(api.PVS, self._pv(pv, claim, path))
            return one.claim, pv

        with ThreadPoolExecutor(POSTS_AT_ONCE) as pool:
            made = dict(pool.map(make, wanted))
        # One after the other: asking for all of them again and again would cost more than binding them.
        return [self.site.wait_phase(pv, "Bound") for pv in made.values()]

    def _pv(self, name: str, claim: Object, path: str) -> Object:
        of_class = claim["spec"]["storageClassName"]
        spec = {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": claim["spec"]["resources"]["requests"],
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": self.site.namespace,
                         "name": claim["metadata"]["name"], "uid": claim["metadata"]["uid"]},
            "mountOptions": self.site.nfs.mount_options(),
            "nfs": {"server": self.site.nfs.host, "path": f"{self.site.export}/{path}"},
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": of_class,
        }  # fmt: skip
        annotations = {"pv.kubernetes.io/provisioned-by": self.provisioner}
        return {"metadata": {"name": name, "annotations": annotations, "labels": {MADE: self.site.token}}, "spec": spec}

    def _renew(self, holder: str) -> None:
        name, where = self.provisioner.replace("/", "-"), f"/namespaces/{self.site.namespace}"
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        if self.lock == "Lease":
            path = f"/apis/coordination.k8s.io/v1{where}/leases"
            spec = {"holderIdentity": holder, "leaseDurationSeconds": LASTS, "renewTime": now, "acquireTime": now}
            body: Object = {"metadata": {"name": name}, "spec": spec}
        else:
            path = f"/api/v1{where}/endpoints"
            record = {"holderIdentity": holder, "leaseDurationSeconds": LASTS, "renewTime": f"{now[:19]}Z",
                      "acquireTime": f"{now[:19]}Z", "leaderTransitions": 0, "written": now}  # fmt: skip
            body = {"metadata": {"name": name, "annotations": {LOCK: json.dumps(record)}}}
        try:
            self.site.api.patch(f"{path}/{name}", body)
        except ApiError as error:
            if error.code != 404:
                raise
            self.site.api.create(path, body)

    def _deployment(self, image: str, replicas: int) -> Object:
        environment = {
            "PROVISIONER_NAME": self.provisioner,
            "NFS_SERVER": self.site.nfs.host,
            "NFS_PATH": self._export,
        }
        container = {
            "name": "nfs-client-provisioner",
            "image": image,
            "volumeMounts": [{"name": "nfs-client-root", "mountPath": "/persistentvolumes"}],
            "env": [{"name": name, "value": value} for name, value in environment.items()],
        }
        volume = {"name": "nfs-client-root", "nfs": {"server": self.site.nfs.host, "path": self._export}}
        labels = {"app": self.name}
        return {
            "metadata": {"name": self.name, "labels": labels},
            "spec": {
                "replicas": replicas,
                "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"serviceAccountName": self.name, "containers": [container], "volumes": [volume]},
                },
            },
        }


def be_ready(api: Api, pod: Object) -> None:
    """What a kubelet says of a pod that is ready. Gone in the meantime is fine."""
    metadata = pod["metadata"]
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
    if api.get(path.removesuffix("/status")) is not None:
        api.patch(path, {"status": status})


def listing(root: Path) -> dict[str, tuple[int, int]]:
    """Everything on a share but Berth's own: path -> mode and size, to be compared."""
    return {
        str(path.relative_to(root)): (path.lstat().st_mode, path.lstat().st_size if path.is_file() else 0)
        for path in root.rglob("*")
        if ".berth" not in path.parts
    }
