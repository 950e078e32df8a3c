"""The Debian package and the RPM: installed into systems of their own, they run there, and go without a trace."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from berth import __version__
from devcluster import systems
from release import packages, root
from release.machines import native
from tests.release import places

pytestmark = pytest.mark.slow

SYSTEMCTL = '#!/bin/sh\necho "$*" >>/systemctl\n'
RESTARTED, STOPPED = "daemon-reload\ntry-restart berth.service\n", "disable --now berth.service\n"
OLD_ENOUGH = {"CompressedFileNames", "FileDigests", "PayloadFilesHavePrefix"}
"""What CentOS 7's rpm, 4.11, knows of how packages are written."""


@pytest.fixture(scope="module")
def installed(native_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What both packages install, as a folder."""
    folder = tmp_path_factory.mktemp("packages") / "installed"
    packages.lay_out(native(), native_root, folder)
    return folder


@pytest.fixture(scope="module")
def deb(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Debian package."""
    output = tmp_path_factory.mktemp("deb")
    packages.deb(native(), installed, output, output.parent / "log")
    return next(output.iterdir())


@pytest.fixture(scope="module")
def rpm(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The RPM."""
    output = tmp_path_factory.mktemp("rpm")
    packages.rpm(native(), installed, output, output.parent / "log")
    return next(output.iterdir())


def said(argv: Sequence[str | Path], **environment: str) -> str:
    """What a program says; it has to end well."""
    given = {"PATH": places.PATH, "LC_ALL": "C.UTF-8", **environment}
    told = subprocess.run(argv, env=given, capture_output=True, text=True, timeout=120, check=False)
    assert (told.returncode, told.stderr) == (0, ""), argv
    return told.stdout


def files(folder: Path) -> set[str]:
    """All that is in a system, but for the databases of its packages."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    return {name for name in found if not name.startswith(("var/lib/dpkg/", "var/lib/rpm/", "var/log/", "systemctl"))}


def test_debian_installs_replaces_and_removes_it(deb: Path, tmp_path: Path) -> None:
    system = tmp_path / "system"
    shutil.copytree(systems.root("bookworm"), system, symlinks=True)
    for name in ("info", "parts", "triggers", "updates"):
        (system / "var/lib/dpkg" / name).mkdir(parents=True, exist_ok=True)
    (system / "var/lib/dpkg/status").touch()
    (system / "run/systemd/system").mkdir(parents=True)
    (system / "usr/bin/systemctl").write_text(SYSTEMCTL)
    (system / "usr/bin/systemctl").chmod(0o755)
    shutil.copy(deb, system / "berth.deb")
    before = files(system)

    assert "Setting up berth" in (told := places.run(system, "dpkg --install /berth.deb")).stdout, told.stderr
    assert places.run(system, "berth --version; kubectl-berth --version").stdout == f"berth {__version__}\n" * 2
    assert places.run(system, "dpkg --verify berth").stdout == ""
    assert (system / "systemctl").read_text() == "daemon-reload\n"
    places.run(system, "dpkg --install /berth.deb")
    assert (system / "systemctl").read_text() == f"daemon-reload\n{RESTARTED}"
    assert places.run(system, "dpkg --remove berth").returncode == 0
    assert (system / "systemctl").read_text() == f"daemon-reload\n{RESTARTED}{STOPPED}"
    assert files(system) == before


def test_rpm_installs_replaces_and_removes_it(rpm: Path, tmp_path: Path) -> None:
    system = places.bare(tmp_path / "system")
    (system / "run/systemd/system").mkdir(parents=True)
    (system / "bin/systemctl").write_text(SYSTEMCTL)
    (system / "bin/systemctl").chmod(0o755)
    before = files(system)
    # Nothing is known of what a system of busybox has, such as its /bin/sh.
    command = ["rpm", f"--root={system}", "--dbpath=/var/lib/rpm", "--nodeps", "--force-debian"]

    assert said([*command, "--install", rpm]) == ""
    assert places.run(system, "berth --version; kubectl-berth --version").stdout == f"berth {__version__}\n" * 2
    assert said([*command, "--verify", "berth"]) == ""
    assert (system / "systemctl").read_text() == "daemon-reload\n"
    assert said([*command, "--upgrade", "--force", rpm]) == ""
    assert (system / "systemctl").read_text().count("disable") == 0
    assert said([*command, "--erase", "berth"]) == ""
    assert (system / "systemctl").read_text().endswith(STOPPED)
    assert files(system) == before


def test_old_rpms_can_read_it(rpm: Path) -> None:
    needed = said(["rpm", "--query", "--package", "--requires", rpm]).splitlines()
    assert {line.split()[0] for line in needed} <= {"/bin/sh", *(f"rpmlib({name})" for name in OLD_ENOUGH)}
    assert (
        said(["rpm", "--query", "--package", "--queryformat=%{PAYLOADCOMPRESSOR} %{LICENSE}", rpm]) == "gzip Apache-2.0"
    )


def test_it_needs_neither_python_nor_proc(installed: Path, tmp_path: Path) -> None:
    system = tmp_path / "system"
    shutil.copytree(installed, system, symlinks=True)
    (system / "bin").mkdir()
    shutil.copy("/bin/busybox", system / "bin/sh")
    for name in ("berth", "kubectl-berth"):
        assert said(["/usr/sbin/chroot", system, f"/usr/bin/{name}", "--version"]) == f"berth {__version__}\n"


def test_the_same_files_give_the_same_bytes(installed: Path, deb: Path, rpm: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(installed, again, symlinks=True)
    for path in again.rglob("*"):
        os.utime(path, (2_000_000_000, 2_000_000_000), follow_symlinks=False)
    packages.deb(native(), again, tmp_path, tmp_path / "log")
    packages.rpm(native(), again, tmp_path, tmp_path / "log")
    assert (tmp_path / deb.name).read_bytes() == deb.read_bytes()
    assert (tmp_path / rpm.name).read_bytes() == rpm.read_bytes()


def test_the_service_is_what_systemd_takes(installed: Path, tmp_path: Path) -> None:
    unit = tmp_path / "berth.service"
    text = (installed / "usr/lib/systemd/system/berth.service").read_text()
    (start,) = re.findall("^ExecStart=(.*)$", text, re.MULTILINE)
    assert start == "/usr/bin/berth run controller"
    unit.write_text(text.replace("/usr/bin/berth", str(installed / "usr/bin/berth")))
    assert said(["systemd-analyze", "verify", "--man=no", unit]) == ""


def test_manual_pages_are_read_without_a_warning(installed: Path, tmp_path: Path) -> None:
    pages = [*(installed / "usr/share/man/man1").iterdir()]
    assert "berth-server-init.1.gz" in {page.name for page in pages}
    for page in pages:
        (tmp_path / page.stem).write_bytes(gzip.decompress(page.read_bytes()))
    plain = sorted(tmp_path.glob("*.1"))
    assert said(["mandoc", "-Tlint", "-Wwarning", *plain]) == ""
    shown = said(["man", "--warnings", "--local-file", "--encoding=UTF-8", *plain], MANWIDTH="80", MANPAGER="cat")
    assert "See berth-install(1)" in re.sub(r"\s+", " ", shown)
    assert "..." not in re.findall(r"^berth .*$", (tmp_path / "berth.1").read_text(), re.MULTILINE)[0]


def test_shells_complete_its_words(installed: Path, tmp_path: Path) -> None:
    home = installed / "usr/share"
    # The program that the completions ask: the package's, from where it lies here.
    (tmp_path / "berth").write_text(f"#!/bin/sh\n{root.start(native(), f'{installed}/usr/lib/berth', '')}")
    (tmp_path / "berth").chmod(0o755)
    given = {"PATH": f"{tmp_path}:{places.PATH}", "HOME": str(tmp_path), "TERM": "dumb"}

    bash = f". {home}/bash-completion/completions/berth; COMP_WORDS=(berth server ''); COMP_CWORD=2"
    told = said(
        [
            "bash",
            "--norc",
            "-c",
            f'{bash}; _berth_completion berth; printf "%s\\n" "${{COMPREPLY[@]}}"; complete -p berth',
        ],
        **given,
    )
    assert {"init", "lint", "verify"} < {*told.splitlines()}
    assert "_berth_completion berth" in told

    fish = f"source {home}/fish/vendor_completions.d/berth.fish; complete -C 'berth server '"
    told = said(["fish", "--no-config", "-c", fish], **given)
    assert {"init", "lint", "verify"} < {line.split("\t")[0] for line in told.splitlines()}

    # compdef takes what is in fpath by its first line; compadd and _describe have no use outside of an editor's line.
    zsh = f"fpath=({home}/zsh/vendor-completions $fpath); autoload -Uz compinit; compinit -u -D"
    zsh += "; print -r -- $_comps[berth]; words=(berth server ''); CURRENT=3"
    zsh += "; _describe() { print -rl -- ${(P)3%%:*} }; _berth"
    told = said(["zsh", "-f", "-c", zsh], **given)
    assert told.splitlines()[0] == "_berth"
    assert {"init", "lint", "verify"} < {*told.splitlines()}
