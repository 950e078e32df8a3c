"""Container images out of nothing but files, as OCI archives that `ctr images import` takes.

Two are on every node: BUSYBOX for tests, and PAUSE, which holds a pod's network. Both are Debian's static busybox. They
are named so that no registry is ever asked for them.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from devcluster.errors import ProgramMissing

BUSYBOX = "localhost/busybox:dev"
PAUSE = "localhost/pause:dev"

# A container's first process gets no signal that it does not handle: `sleep` alone would live until it is killed.
_PAUSE_COMMAND = ("/bin/sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 2147483647 & wait; done")

_FILES = {
    "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
    "etc/group": b"root:x:0:\nnogroup:x:65534:\n",
}


def write_busybox(path: Path) -> None:
    """Writes an archive with both images; 2 MB, a few milliseconds."""
    busybox = shutil.which("busybox")
    if busybox is None:
        raise ProgramMissing("there is no busybox here; Debian's package busybox-static has it")
    applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, timeout=30, check=True)
    layer = _layer(Path(busybox).read_bytes(), applets.stdout.split())
    write_archive(path, layer, {BUSYBOX: ("/bin/sh",), PAUSE: _PAUSE_COMMAND})


def write_archive(path: Path, layer: bytes, images: dict[str, Sequence[str]]) -> None:
    """An OCI archive of images that share one layer (a tar, not compressed); each by its name, with its command."""
    blobs: dict[str, bytes] = {}

    def add(kind: str, content: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[digest] = content
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(content)}

    layers = [add("layer.v1.tar", layer)]
    manifests = []
    for name, command in images.items():
        settings = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": list(command), "Env": ["PATH=/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [layers[0]["digest"]]},
        }
        config = add("config.v1+json", json.dumps(settings).encode())
        manifest = {"schemaVersion": 2, "config": config, "layers": layers}
        entry = add("manifest.v1+json", json.dumps(manifest).encode())
        manifests.append({**entry, "annotations": {"io.containerd.image.name": name}})
    with tarfile.open(path, "w") as archive:
        _add_file(archive, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
        _add_file(archive, "index.json", json.dumps({"schemaVersion": 2, "manifests": manifests}).encode())
        for digest, content in blobs.items():
            _add_file(archive, f"blobs/sha256/{digest}", content)


def _layer(busybox: bytes, applets: Sequence[str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as layer:
        for name, mode in {"bin": 0o755, "etc": 0o755, "root": 0o700, "tmp": 0o1777}.items():
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            layer.addfile(folder)
        _add_file(layer, "bin/busybox", busybox, 0o755)
        for name, content in _FILES.items():
            _add_file(layer, name, content)
        for applet in applets:
            if applet != "busybox":
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                layer.addfile(link)
    return out.getvalue()


def _add_file(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))
