"""One test's own piece of the cluster: a provisioner name, a share, a namespace, and whoever serves there.

Tests on one cluster don't disturb each other: a site's controllers answer to its own provisioner name only, and its
share is a directory of its own below the NFS server's export, exported with it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from devcluster.cluster import DevCluster
from devcluster.ganesha import GaneshaServer
from tests.e2e import api
from tests.e2e.api import Api, Object
from tests.e2e.controller import Controller
from tests.e2e.waiting import until

FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer"
RECORDS = ".berth/volumes"
TRASH = ".berth/trash"
ARCHIVES = ".berth/archives"


class Site:
    """See the module's text. Made by the fixture `site`, or several by `sites`."""

    def __init__(
        self, cluster: DevCluster, api: Api, account: Path, namespace: str, directory: Path, nfs: GaneshaServer
    ) -> None:
        """account: kubeconfig of the controllers. directory: for their logs. nfs: where the share is."""
        self.token = secrets.token_hex(4)
        self.cluster = cluster
        self.api = api
        self.account = account
        self.namespace = namespace
        self.nfs = nfs
        self.provisioners = [f"{self.token}.example/nfs"]
        self.export, self.root = "", Path()
        """The share: its exported path, and the directory behind it."""
        self.move(self.token)
        self.controllers: list[Controller] = []
        self.sentinels: dict[str, str] = {}
        """PV -> what a test wrote into its volume, to be found there, or in its archive, for ever."""
        self.foreign: set[str] = set()
        """Paths on the share that a test made itself, and that Berth has nothing to do with."""
        self._directory = directory
        self._classes: list[str] = []

    @property
    def provisioner(self) -> str:
        return self.provisioners[0]

    def move(self, to: str) -> None:
        """Another, empty share is this site's from now on."""
        self.export, self.root = f"{self.nfs.export}/{to}", self.nfs.root / to
        self.root.mkdir(parents=True)
        self.root.chmod(0o777)

    # Controllers.

    def controller(self, name: str = "berth", *, within: Sequence[str] = (), **settings: str) -> Controller:
        """One more controller of this site, not yet started. It elects nobody unless told to."""
        fine = {
            "PROVISIONER_NAME": ",".join(self.provisioners),
            "KUBECONFIG": str(self.account),
            "POD_NAMESPACE": "berth-e2e",
            "POD_NAME": name,
            "ENABLE_LEADER_ELECTION": "false",
            "BERTH_LEASE_DURATION": "3s",
            "BERTH_RENEW_DEADLINE": "2s",
            "BERTH_RETRY_PERIOD": "0.5s",
            "BERTH_SHARE_TIMEOUT": "2s",
            "BERTH_LOG_LEVEL": "debug",
        }
        made = Controller(name, self._directory, {**fine, **settings}, within=within)
        self.controllers.append(made)
        return made

    # Classes.

    def parameters(self, **more: str) -> dict[str, str]:
        """Class parameters that name this site's share."""
        return {"server": self.nfs.host, "share": self.export, **more}

    def make_class(
        self,
        parameters: Mapping[str, str] | None = None,
        *,
        name: str = "",
        mount_options: Iterable[str] | None = None,
        **changes: Any,
    ) -> str:
        """A new class of this site, by default with the site's share and no other parameter. Returns its name."""
        name = name or f"class-{secrets.token_hex(4)}"
        options = list(self.nfs.mount_options() if mount_options is None else mount_options)
        fine = {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": self.provisioner,
            "parameters": dict(self.parameters() if parameters is None else parameters),
            "allowVolumeExpansion": True,
            **({"mountOptions": options} if options else {}),
        }
        self.api.create(api.CLASSES, {**fine, **changes})
        self._classes.append(name)
        return name

    def delete_class(self, name: str) -> None:
        """Removes a class."""
        self.api.delete(f"{api.CLASSES}/{name}")

    # Claims.

    def file_claim(
        self,
        name: str,
        of_class: str,
        *,
        size: str = "1Gi",
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        **spec: Any,
    ) -> Object:
        """A new claim, as the API server stored it."""
        fine = {
            "storageClassName": of_class,
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": size}},
        }
        metadata = {"name": name, "labels": dict(labels or {}), "annotations": dict(annotations or {})}
        wanted = {key: value for key, value in {**fine, **spec}.items() if value is not None}
        return self.api.create(api.claims(self.namespace), {"metadata": metadata, "spec": wanted})

    def claim(self, name: str) -> Object | None:
        """A claim as it is now."""
        return self.api.get(f"{api.claims(self.namespace)}/{name}")

    def patch_claim(self, name: str, **changes: Any) -> Object:
        """Changes a claim: metadata, spec."""
        return self.api.patch(f"{api.claims(self.namespace)}/{name}", changes)

    def delete_claim(self, *names: str) -> None:
        """Asks for the deletion of claims."""
        for name in names:
            self.api.delete(f"{api.claims(self.namespace)}/{name}")

    def wait_bound(self, name: str, *, deadline: float = 30.0) -> Object:
        """The PV of a claim, once both are Bound."""

        def look() -> Object | None:
            claim = self.claim(name)
            if claim is None or claim["status"].get("phase") != "Bound":
                return None
            return self.pv(claim["spec"]["volumeName"])

        return until(f"claim {name} is Bound", look, deadline=deadline)

    def serve(self, name: str, of_class: str, **changes: Any) -> Object:
        """A new claim's PV, once it is Bound."""
        self.file_claim(name, of_class, **changes)
        return self.wait_bound(name)

    # PVs.

    def pv(self, name: str) -> Object | None:
        """A PV as it is now."""
        return self.api.get(f"{api.PVS}/{name}")

    def pvs(self) -> list[Object]:
        """All PVs of this site's provisioners."""
        return [
            pv
            for pv in self.api.list(api.PVS)
            if (pv["metadata"].get("annotations") or {}).get("pv.kubernetes.io/provisioned-by") in self.provisioners
        ]

    def patch_pv(self, name: str, **changes: Any) -> Object:
        """Changes a PV."""
        return self.api.patch(f"{api.PVS}/{name}", changes)

    def wait_gone(self, pv: str, *, deadline: float = 30.0) -> None:
        """Returns once a PV is gone."""
        until(f"PV {pv} is gone", lambda: self.pv(pv) is None, deadline=deadline)

    def wait_phase(self, pv: str, *phases: str) -> Object:
        """A PV, once Kubernetes says that it is in one of these phases."""

        def look() -> Object | None:
            found = self.pv(pv)
            return found if found is not None and found["status"].get("phase") in phases else None

        return until(f"PV {pv} is {' or '.join(phases)}", look)

    def path_of(self, pv: Object) -> str:
        """Where a PV's directory is, relative to the share's root."""
        absolute: str = pv["spec"]["nfs"]["path"]
        assert absolute.startswith(f"{self.export}/"), f"{absolute} is not in {self.export}"
        return absolute.removeprefix(f"{self.export}/")

    def directory_of(self, pv: Object) -> Path:
        """The directory behind a PV."""
        return self.root / self.path_of(pv)

    def plant(self, pv: Object, text: str = "") -> str:
        """Writes a file into a volume, to be found again wherever its data has to be kept. Returns what is in it."""
        name = pv["metadata"]["name"]
        text = text or f"the data of {name}\n"
        (self.directory_of(pv) / "sentinel").write_text(text)
        self.sentinels[name] = text
        return text

    def wait_purged(self, pv: str) -> None:
        """Returns once nothing on the share speaks of a deleted volume."""
        until(f"volume {pv} is purged", lambda: not self.record(pv).exists() and not (self.root / TRASH / pv).exists())

    def record(self, pv: str) -> Path:
        """Where a volume's record is, or would be."""
        return self.root / RECORDS / f"{pv}.json"

    # Events.

    def events(self, name: str, *, reason: str = "", kind: str = "PersistentVolumeClaim") -> list[Object]:
        """Events about an object that this site's controllers posted, the oldest first."""
        where = self.namespace if kind == "PersistentVolumeClaim" else "default"
        selector = f"involvedObject.kind={kind},involvedObject.name={name}"
        found = self.api.list(api.events(where), fieldSelector=f"{selector},reason={reason}" if reason else selector)
        return [one for one in found if one["source"].get("component", "").startswith(tuple(self.provisioners))]

    def wait_event(self, name: str, reason: str, *, kind: str = "PersistentVolumeClaim", having: str = "") -> Object:
        """The first Event with this reason about an object, and with these words in its message."""

        def look() -> Object | None:
            found = self.events(name, reason=reason, kind=kind)
            return next((one for one in found if having in one["message"]), None)

        return until(f"{kind} {name} has an Event {reason} with {having!r} in it", look)

    # The end.

    def close(self) -> None:
        """Ends the controllers, and takes this site's objects out of the cluster, as nobody else would."""
        for controller in self.controllers:
            controller.stop()
        for name in self._classes:
            self.delete_class(name)
        for pv in self.pvs():
            self.api.patch(f"{api.PVS}/{pv['metadata']['name']}", {"metadata": {"finalizers": None}})
            self.api.delete(f"{api.PVS}/{pv['metadata']['name']}")
