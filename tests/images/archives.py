"""Archives as releases have them, by what writes them, and small."""

from __future__ import annotations

import io
import random
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

from berth import __version__
from release import oci
from release.machines import MACHINES, Machine

NAME = f"berth:{__version__}"
FULL_NAME = f"docker.io/library/{NAME}"


def image_archive(path: Path, machines: Sequence[Machine] = MACHINES, *, size: int = 100_000) -> Path:
    """The archive of an image of two layers, the larger one of so many bytes that can't be packed."""
    layout = oci.Layout(path.with_name(f"{path.name}.layout"))
    for machine in machines:
        root = path.with_name(f"{path.name}.{machine.name}")
        for name, content in (("usr/bin/python", random.Random(machine.name).randbytes(size)), ("usr/bin/berth", b"")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        layout.add(machine, root, {})
    layout.write(path, NAME)
    return path


def changed(archive: Path, target: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The archive with other content of its files: what change answers, None to leave a file out."""
    with tarfile.open(archive) as source, tarfile.open(target, "w") as sink:
        for member in source:
            file = source.extractfile(member)
            content = change(member.name, file.read()) if file else b""
            if content is not None:
                info = tarfile.TarInfo(member.name)
                info.size = len(content)
                sink.addfile(info, io.BytesIO(content))
    return target
