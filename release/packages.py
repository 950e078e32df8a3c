"""The Debian package and the RPM: the root below /usr/lib/berth, and `berth` with its manual, completion and service.

Neither depends on any package: the root brings its own Python and libraries, so one package fits every release of a
distribution. Both have the same bytes each time.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import click
import click_man.core
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from berth.cli.main import cli
from devcluster import progress
from release import root, tree
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
    manual = target / "usr/share/man/man1"
    manual.mkdir(parents=True)
    # Whose date is the day of the build is another page each day: the version stands in its place.
    click_man.core.write_man_pages("berth", _imported(cli), version=version(), target_dir=str(manual), date=version())
    for page in [*manual.iterdir()]:
        tree.compress(page, page.with_name(f"{page.name}.gz"))
        page.unlink()


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
        "Description": SUMMARY,
    }
    _write(tree_of_files / "DEBIAN/control", "".join(f"{key}: {text}\n" for key, text in control.items()))
    name = output / f"berth_{version()}_{machine.name}.deb"
    command = ["dpkg-deb", "--build", "--root-owner-group", "-Zgzip", "-z6", str(tree_of_files), str(name)]
    progress.run(f"Packing {name.name}", command, log=log, env={"SOURCE_DATE_EPOCH": str(tree.EPOCH)})
    shutil.rmtree(tree_of_files / "DEBIAN")


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


def _imported(command: click.Command) -> click.Command:
    """The command with all that is below it: click-man does not know that our groups import theirs when asked."""
    if not isinstance(command, click.Group):
        return command
    context = click.Context(command)
    found = {name: command.get_command(context, name) for name in command.list_commands(context)}
    below = {name: _imported(one) for name, one in found.items() if one is not None}
    return click.Group(command.name, below, help=command.help, params=command.params)


def _launcher(machine: Machine) -> str:
    start = root.start(machine, f"/{_HOME}", "")
    return f"#!/bin/sh\n# Berth by its own Python and libraries, whatever the host has.\n{start}"


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
