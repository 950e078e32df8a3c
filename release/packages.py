"""The Debian package and the RPM: the root below /usr/lib/berth, and `berth` with its manual, completion and service.

Neither depends on any package: the root brings its own Python and libraries, so one package fits every release of a
distribution. Both have the same bytes each time.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from click.shell_completion import BashComplete, FishComplete, ZshComplete

from berth.cli.main import cli
from berth.settings.home import HOME
from devcluster import progress
from release import manual, root, tree
from release.labels import SUMMARY, version
from release.machines import Machine

HERE = Path(__file__).parent
_HOME = "usr/lib/berth"
_COMPLETIONS = {
    "usr/share/bash-completion/completions/berth": BashComplete,
    "usr/share/fish/vendor_completions.d/berth.fish": FishComplete,
    "usr/share/zsh/vendor-completions/_berth": ZshComplete,
}
_RPM_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
_DESCRIPTION = """\
 Every claim gets its own directory on an NFS server, safely, fast, and with a
 plain explanation whenever it can't. This is the command: it installs Berth in
 clusters, sets up and checks NFS servers, and finds out what is wrong. It brings
 its own Python, and needs nothing of the system."""
_MAINTAINER = "The Berth authors <berth@localhost>"


def lay_out(machine: Machine, folder: Path, target: Path) -> None:
    """Fills target, which is there and empty, with what both packages install; folder is the machine's root."""
    shutil.copytree(folder, target / _HOME, symlinks=True)
    _write(target / "usr/bin/berth", _launcher(machine), 0o755)
    (target / "usr/bin/kubectl-berth").symlink_to("berth")
    _write(target / "usr/lib/systemd/system/berth.service", (HERE / "berth.service").read_text())
    for name in ("copyright", "berth.cdx.json"):
        _write(target / "usr/share/doc/berth" / name, (folder / "usr/share/doc/berth" / name).read_text())
    for name, kind in _COMPLETIONS.items():
        _write(target / name, kind(cli, {}, "berth", "_BERTH_COMPLETE").source())
    manual.write(target / "usr/share/man/man1")


def deb(machine: Machine, tree_of_files: Path, output: Path, log: Path) -> None:
    """Writes the Debian package of what lay_out has laid out into output, by dpkg-deb."""
    # What folders take is the file system's own affair.
    size = sum(path.lstat().st_size for path in tree_of_files.rglob("*") if not path.is_dir()) >> 10
    control = {
        "Package": "berth",
        "Version": version(),
        "Architecture": machine.name,
        "Maintainer": _MAINTAINER,
        "Installed-Size": str(size),
        "Suggests": "nfs-kernel-server",
        "Section": "admin",
        "Priority": "optional",
        **({"Homepage": HOME.sources} if HOME.sources else {}),
        "Description": f"{SUMMARY}\n{_DESCRIPTION}",
    }
    sums = "".join(
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(tree_of_files)}\n"
        for path in sorted(tree_of_files.rglob("*"))
        if path.is_file() and not path.is_symlink()
    )
    told = tree_of_files / "DEBIAN"
    _write(told / "control", "".join(f"{key}: {text}\n" for key, text in control.items()))
    _write(told / "md5sums", sums)
    for script in ("postinst", "prerm"):
        _write(told / script, (HERE / f"berth.{script}").read_text(), 0o755)
    name = output / f"berth_{version()}_{machine.name}.deb"
    command = ["dpkg-deb", "--build", "--root-owner-group", "-Zgzip", "-z6", str(tree_of_files), str(name)]
    progress.run(f"Packing {name.name}", command, log=log, env={"SOURCE_DATE_EPOCH": str(tree.EPOCH)})
    shutil.rmtree(told)


def rpm(machine: Machine, tree_of_files: Path, output: Path, log: Path) -> None:
    """Writes the RPM of what lay_out has laid out into output, by rpmbuild."""
    work = tree_of_files.with_name(f"{tree_of_files.name}.rpm")
    architecture = _RPM_ARCHITECTURES[machine.name]
    macros = {
        "_topdir": str(work),
        # A build knows nothing of who built it, where and when.
        "_buildhost": "localhost",
        "use_source_date_epoch_as_buildtime": "1",
        "clamp_mtime_to_source_date_epoch": "1",
        "_binary_payload": "w6.gzdio",
        "_build_id_links": "none",
        "__os_install_post": "%{nil}",
    }
    spec = (HERE / "berth.spec").read_text()
    for word, text in {"VERSION": version(), "SUMMARY": SUMMARY, "FILES": str(tree_of_files)}.items():
        spec = spec.replace(f"@{word}@", text)
    _write(work / "berth.spec", spec)
    command = ["rpmbuild", "-bb", f"--target={architecture}-linux"]
    command += [f"--define={name} {value}" for name, value in macros.items()]
    environment = {"SOURCE_DATE_EPOCH": str(tree.EPOCH), "HOME": str(work)}
    progress.run("Packing the RPM", [*command, str(work / "berth.spec")], log=log, env=environment)
    for made in (work / "RPMS").rglob("*.rpm"):
        shutil.move(made, output / made.name)
    shutil.rmtree(work)


def _launcher(machine: Machine) -> str:
    start = root.start(machine, f"/{_HOME}", "")
    return f"#!/bin/sh\n# Berth by its own Python and libraries, whatever the host has.\n{start}"


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
