"""The words that are nobody's names: those of our own texts, and ordinary ones."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

TOKEN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*[A-Za-z0-9_])?")
"""A word, with what may stand within a name."""
_SOURCES = re.compile(r"(?m)^ *sources:.*$")
"""Where to read on: full of other people's names."""
NAMESPACES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease", "berth-system"})
PROVISIONERS = frozenset({
    "nfs.berth.io", "k8s-sigs.io/nfs-subdir-external-provisioner", "fuseim.pri/ifs", "nfs.csi.k8s.io",
    "cluster.local/nfs-client-provisioner", "cluster.local/nfs-subdir-external-provisioner", "nfs-client",
    "rancher.io/local-path", "driver.longhorn.io", "openebs.io/local", "rook-ceph.cephfs.csi.ceph.com",
    "rook-ceph.rbd.csi.ceph.com", "cephfs.csi.ceph.com", "rbd.csi.ceph.com", "kubernetes.io/no-provisioner",
    "smb.csi.k8s.io", "org.democratic-csi.nfs", "ebs.csi.aws.com", "efs.csi.aws.com", "disk.csi.azure.com",
    "file.csi.azure.com", "pd.csi.storage.gke.io", "filestore.csi.storage.gke.io",
})  # fmt: skip
"""What programs that anybody has are called wherever nobody says otherwise."""


@cache
def known_words() -> frozenset[str]:
    """Words as they are written, and in lower case. A name of several words is one of ours only as a whole."""
    found: set[str] = {*errno.errorcode.values(), *_of("\n".join(map(os.strerror, errno.errorcode)))}
    for text in _texts(files("berth")):
        found |= set(_of(_SOURCES.sub("", text)))
    return frozenset(found | {word.lower() for word in found})


def _of(text: str) -> Iterator[str]:
    for token in TOKEN.findall(text):
        yield token
        if "-" not in token:  # of `spec.nfs.path` each part is a word; of a name with dashes only the whole
            yield from (part for part in token.split(".") if part.isalpha())


def _texts(folder: Traversable) -> Iterator[str]:
    """All data of ours: catalogues, help, errors, and the list of ordinary words beside this file."""
    for each in folder.iterdir():
        if each.is_dir():
            yield from _texts(each)
        elif each.name.endswith((".yaml", "words.txt")):
            yield each.read_text("utf-8")


@cache
def foreign_sentences() -> str:
    """What programs say in other languages: known, and nobody's name."""
    folder = files("berth.doctor.wordings")
    return "\n".join(each.read_text("utf-8") for each in folder.iterdir() if each.name.endswith(".tsv"))
