"""Every machine's root, command and image: of that machine alone, and its Python runs, on a foreign one by qemu."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import shutil
import struct
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from berth import __version__
from release import command, oci, root, sbom
from release.labels import labels
from release.machines import MACHINES, Machine, native

pytestmark = pytest.mark.slow

OF_ELF = {"amd64": 62, "arm64": 183}
"""EM_X86_64 and EM_AARCH64, of elf.h."""
LOADS = """
import importlib, pathlib, sys, sysconfig
sys.path.append(str(pathlib.Path(sys.argv[1]) / "usr/lib/python3/dist-packages"))
for folder in (pathlib.Path(sys.argv[1]) / "usr/lib/python3.11/lib-dynload", pathlib.Path(sys.path[-1])):
    for path in sorted(folder.rglob("*.so")):
        name = ".".join(path.relative_to(folder).parts).removesuffix(".so").removesuffix(".abi3").split(".cpython")[0]
        importlib.import_module(name)
        print(name)
print(sysconfig.get_platform())
"""


@pytest.fixture(scope="session")
def roots(native_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[Machine, Path]:
    """The root of each machine."""
    made = {native(): native_root}
    for machine in MACHINES:
        if machine != native():
            made[machine] = tmp_path_factory.mktemp(machine.name)
            log = tmp_path_factory.mktemp("log") / "log"
            root.make(machine, made[machine], log, compiler=root.python(native(), native_root))
            sbom.write(machine, made[machine], log)
    return made


def started(machine: Machine, argv: list[str]) -> str:
    """What a program of that machine says; it has to end well."""
    emulator = [] if machine == native() else [f"qemu-{machine.kernel}-static"]
    told = subprocess.run([*emulator, *argv], capture_output=True, text=True, timeout=120, check=False)
    assert (told.returncode, told.stderr) == (0, "")
    return told.stdout


def machine_of(start: bytes) -> int | None:
    """Which machine an ELF file is for; None where it is none."""
    return struct.unpack_from("<H", start, 18)[0] if start[:4] == b"\x7fELF" else None


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_all_that_is_compiled_is_for_it_and_loads(roots: Mapping[Machine, Path], machine: Machine) -> None:
    folder = roots[machine]
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    found = {path: machine_of(path.open("rb").read(20)) for path in files}
    assert {kind for kind in found.values() if kind is not None} == {OF_ELF[machine.name]}
    # rather than files of another machine's names, or no package at all for this one
    assert not [path for path in files for other in MACHINES if other != machine and other.kernel in path.name]
    loaded = started(machine, [*root.python(machine, folder), "-I", "-c", LOADS, str(folder)]).splitlines()
    assert {"_ssl", "_ctypes", "yaml._yaml", "msgspec._core", "uvloop.loop"} <= {*loaded}
    assert loaded[-1] == f"linux-{machine.kernel}"


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_the_command_says_its_version(roots: Mapping[Machine, Path], machine: Machine, tmp_path: Path) -> None:
    """As the shell's last line starts it; the lines before look at the machine, which is not an arm64 one here."""
    file, home = tmp_path / "berth", tmp_path / "home"
    command.make(machine, roots[machine], file)
    content = file.read_bytes()
    assert f'"Linux {machine.kernel}") ;;'.encode() in content
    offset = re.search(rb"tail -c \+(\d+) ", content)
    assert offset is not None
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content[int(offset[1]) - 1 :]))) as archive:
        archive.extractall(home)
    assert started(machine, [*root.command(machine, home), "", "--version"]) == f"berth {__version__}\n"
    asked = [*root.command(machine, home), "", "server", "lint", "/dev/null"]
    assert started(machine, asked) == "No findings.\n"


def test_the_image_has_a_part_for_each_machine(roots: Mapping[Machine, Path], tmp_path: Path) -> None:
    (tmp_path / "layout").mkdir()
    layout = oci.Layout(tmp_path / "layout")
    for machine in MACHINES:
        layout.add(machine, roots[machine], labels())
    layout.write(tmp_path / "image.tar", f"berth:{__version__}")
    with tarfile.open(tmp_path / "image.tar") as archive:
        blobs = {name: archive.extractfile(name) for name in archive.getnames() if archive.getmember(name).isfile()}
        read = {name: content.read() for name, content in blobs.items() if content is not None}

    def blob(descriptor: Mapping[str, Any]) -> bytes:
        content = read[f"blobs/{descriptor['digest'].replace(':', '/')}"]
        assert descriptor["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert descriptor["size"] == len(content)
        return content

    (top,) = json.loads(read["index.json"])["manifests"]
    for machine, described in zip(MACHINES, json.loads(blob(top))["manifests"], strict=True):
        assert described["platform"] == {"architecture": machine.name, "os": "linux"}
        manifest = json.loads(blob(described))
        config = json.loads(blob(manifest["config"]))
        assert config["architecture"] == machine.name
        home, kinds = tmp_path / machine.name, set()
        for layer, plain in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
            unpacked = gzip.decompress(blob(layer))
            assert plain == f"sha256:{hashlib.sha256(unpacked).hexdigest()}"
            with tarfile.open(fileobj=io.BytesIO(unpacked)) as files:
                for member in files:
                    if member.isfile() and (content := files.extractfile(member)):
                        kinds.add(machine_of(content.read(20)))
                files.extractall(home)
        assert kinds == {None, OF_ELF[machine.name]}
        assert (home / sbom.PLACE).is_file()
        said = started(machine, [*root.python(machine, home), "-I", "-c", "import platform; print(platform.machine())"])
        assert said == f"{machine.kernel}\n"
        shutil.rmtree(home)
