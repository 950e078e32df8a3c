"""Which containers provision, or could, and under which names: by their variables, their arguments, and what they are.

The reference provisioners are told PROVISIONER_NAME, NFS_SERVER and NFS_PATH by their environment; other ones a flag;
a script may set the variables itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from berth.kube.leader import lock_name
from berth.objects.containers import Container, Environment, Known, PodFields, environment_of, words_of

NAME, SERVER, EXPORT = "PROVISIONER_NAME", "NFS_SERVER", "NFS_PATH"
REFERENCE = (NAME, SERVER, EXPORT)
"""What every release of the reference needs, and both charts set."""
OWN = "nfs.berth.io"
"""Berth's name, where it is told none."""
CSI_NFS = "nfs.csi.k8s.io"
MOUNTED_AT = "/persistentvolumes"
"""Where the reference has its share, in every release."""

ProvisionerKind = Literal["reference", "berth", "csi", "other"]
Hint = Literal["name", "mount"]
Flavour = Literal["berth", "subdir", "selflink", "csi", "other"]
"""selflink: of the generation that needs metadata.selfLink; subdir: nfs-subdir-external-provisioner 4."""

TAKEN_OVER_BY = "berth.io/taken-over-by"
REPLICAS_BEFORE = "berth.io/replicas-before"
READY_BEFORE = "berth.io/ready-before"
"""Annotations of an old Deployment: which Berth (namespace/name) serves now, or was to; how many pods it had before,
and how many of them were ready.
"""

_OF_REFERENCE = re.compile(r"nfs[-_.]?(?:client|subdir)[-_.a-z]*provisioner")
_BERTH = re.compile(r"berth\b")
_CSI_PLUGIN = re.compile(r"nfsplugin\b")
_FLAG = re.compile(r"--?provisioner(?:-name)?(?:=(?P<value>.*))?", re.DOTALL)
_DRIVER = re.compile(r"--?drivername=(?P<value>.*)", re.DOTALL)
_IMAGE = re.compile(r"(?P<path>[^@]*?)(?::(?P<tag>[^/:@]+))?(?P<digest>@.*)?")
_UNTIL_3 = re.compile(r"v?[123]\b")
_REBUILT = frozenset({"gmoney23"})
"""Who published nfs-client-provisioner rebuilt for Kubernetes 1.20 and newer, as `latest`."""
_ASSIGNED = re.compile(r"\bPROVISIONER_NAME=(?:\"([^\"$]*)\"|'([^']*)'|([^\s;&|\"'$]*))")


@dataclass(frozen=True, slots=True)
class Provisioning:
    """One container that provisions, or could."""

    container: Container
    environment: Environment
    kind: ProvisionerKind
    names: tuple[str, ...]
    """That it answers to; empty: that is not known."""
    why: str
    """Why its settings are not fully known: where they come from; empty when they are."""
    is_init: bool
    """It is one that ends before the pod's others begin."""
    hint: Hint | None = None
    """By what alone it is taken for one, where nothing else says so: its name, or that it mounts an NFS share."""

    @property
    def flavour(self) -> Flavour:
        """Its generation, as far as its image tells."""
        if self.kind in ("berth", "csi"):
            return self.kind
        if needs_self_link(self.container.image):
            return "selflink"
        base = _base(self.container)
        return "subdir" if "nfs-subdir-external-provisioner" in base or "nfs-client-provisioner" in base else "other"

    @property
    def server(self) -> str:
        """Of its share, where it has one that is known."""
        return self.environment.get(SERVER)

    @property
    def export(self) -> str:
        return self.environment.get(EXPORT)

    @property
    def lock(self) -> str:
        """The name of its lock; empty where its names are not known."""
        return lock_name(self.names[0]) if self.names else ""

    @property
    def elects(self) -> bool:
        """Whether it takes a lock at all."""
        return (self.environment.get("ENABLE_LEADER_ELECTION") or "true").lower() not in ("false", "0", "f")


def provisionings(
    containers: Sequence[Container],
    init_containers: Iterable[Container],
    nfs_volumes: frozenset[str],
    pod: PodFields,
    known: Known,
) -> list[Provisioning]:
    """The containers of one pod that provision or could. nfs_volumes: names of the pod's volumes that are NFS."""
    every = [(one, False) for one in containers]
    every += [(one, one.restartPolicy != "Always") for one in init_containers]
    found = (_judge(one, is_init, nfs_volumes, pod, known) for one, is_init in every)
    return [one for one in found if one is not None]


def names_in(text: str) -> tuple[str, ...]:
    """The names of a PROVISIONER_NAME, each once."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def could_be(container: Container, nfs_volumes: frozenset[str]) -> bool:
    """Whether it is worth asking what its ConfigMaps and Secrets say: it is told things, and may be a provisioner."""
    if any(one.name == NAME for one in container.env or ()):
        return True
    return bool(container.envFrom) and _hint(container, nfs_volumes) is not None


def _judge(
    container: Container, is_init: bool, nfs_volumes: frozenset[str], pod: PodFields, known: Known
) -> Provisioning | None:
    environment = environment_of(container, pod, known)
    words = words_of(container, environment)
    said, why, hint = environment.get(NAME), environment.why_unknown(NAME), None
    if not said and NAME not in environment.values and NAME not in environment.unread:
        flagged = _flagged(container, words)
        if flagged:
            said, why = ("", "its arguments") if "$(" in flagged else (flagged, "")
        elif _is_berth(container, environment):
            said = said or ("" if why else OWN)
        elif _assigned(words) is not None:
            said, why = _assigned(words) or "", "the command that it runs"
        else:
            hint = _hint(container, nfs_volumes)
            if hint is None or (hint == "mount" and not environment.hidden):
                return None
            why = why or f"nowhere: it has no {NAME}"
    kind = _kind(container, environment, words)
    return Provisioning(container, environment, kind, names_in(said), why, is_init, hint)


def _kind(container: Container, environment: Environment, words: Sequence[str]) -> ProvisionerKind:
    if _is_berth(container, environment):
        return "berth"
    if _CSI_PLUGIN.match(_base(container)):
        return "csi"
    told = all(name in environment.values or environment.why_unknown(name) for name in REFERENCE)
    if told or _hint(container, frozenset()) == "name" or _assigned(words) is not None:
        return "reference"
    return "other"


def _flagged(container: Container, words: Sequence[str]) -> str:
    """The name that its arguments say, or that it has by what it is."""
    if _CSI_PLUGIN.match(_base(container)):
        named = next((match["value"] for word in words if (match := _DRIVER.fullmatch(word))), "")
        return named if named and "$" not in named else CSI_NFS
    for number, word in enumerate(words):
        match = _FLAG.fullmatch(word)
        if match is not None:
            following = words[number + 1] if number + 1 < len(words) else ""
            return match["value"] if match["value"] is not None else following
    return ""


def _assigned(words: Sequence[str]) -> str | None:
    """What a script sets PROVISIONER_NAME to; empty when that can't be said; None: it doesn't."""
    for word in words:
        match = _ASSIGNED.search(word)
        if match is not None:
            return next((group for group in match.groups() if group), "")
    return None


def _hint(container: Container, nfs_volumes: frozenset[str]) -> Hint | None:
    if _OF_REFERENCE.search(container.image.partition("@")[0]) or _OF_REFERENCE.search(container.name):
        return "name"
    mounts = container.volumeMounts or ()
    if any(one.mountPath.rstrip("/") == MOUNTED_AT or one.name in nfs_volumes for one in mounts):
        return "mount"
    return None


def _is_berth(container: Container, environment: Environment) -> bool:
    """By its image, also where it was renamed (`berth-nfs`), or by what only Berth is told."""
    return _BERTH.match(_base(container)) is not None or any(name.startswith("BERTH_") for name in environment.values)


def _base(container: Container) -> str:
    """The last part of its image's path, without tag and digest."""
    return container.image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def needs_self_link(image: str) -> bool:
    """Whether an image is of the generation that needs metadata.selfLink, which Kubernetes fills in no more since 1.20:
    nfs-client-provisioner up to v3.1, from its own repository or a copy of it (nfs-subdir-external-provisioner#25).

    Version 4, nfs-subdir-external-provisioner, never did. Of a copy that is named by its digest alone nothing is known.
    """
    match = _IMAGE.fullmatch(image)
    path, tag, digest = (match["path"], match["tag"], match["digest"]) if match else (image, None, None)
    base = path.rpartition("/")[2]
    if "external_storage/" in path or "kubernetes_incubator/nfs-provisioner" in path:
        return not (tag or "").removeprefix("v").startswith("4.")
    if base not in ("nfs-client-provisioner", "nfs-client-provisioner-arm"):
        return False
    tag = tag or ("" if digest else "latest")
    return _UNTIL_3.match(tag) is not None or (tag == "latest" and not _REBUILT & set(path.split("/")))
