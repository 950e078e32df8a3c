"""Two hosts that one can log in to, and `berth … --on` to work on them with this checkout's self-contained command."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.command import PROGRAM, environment
from tests.release.conftest import berth_command, native_root  # noqa: F401 - fixtures
from tests.running import running
from tests.ssh_host import SSHD, SshHost, client_config


@dataclass
class Client:
    """`berth` with the options that take it to the hosts. command: what is brought to them."""

    config: Path
    command: Path | None

    def argv(self, *arguments: str) -> list[str]:
        """A command line of berth's."""
        brought = ["--command", str(self.command)] if self.command else []
        return [str(PROGRAM), *arguments, "-F", str(self.config), *brought]

    def __call__(self, *arguments: str, typed: str = "", lang: str = "C.UTF-8") -> subprocess.CompletedProcess[str]:
        """Runs it to its end. typed: what it reads."""
        return subprocess.run(
            self.argv(*arguments), input=typed, capture_output=True, text=True, timeout=120, check=False,
            env=environment({"LC_ALL": lang}),
        )  # fmt: skip

    def sentence(self, *arguments: str, code: int = 3, typed: str = "", lang: str = "C.UTF-8") -> str:
        """The one sentence with which it fails."""
        done = self(*arguments, typed=typed, lang=lang)
        assert (done.returncode, done.stdout) == (code, ""), done
        (line,) = done.stderr.splitlines()
        assert line.startswith("berth: ")
        return line.removeprefix("berth: ")


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for hosts."""
    if os.geteuid() or "overlay" not in Path("/proc/filesystems").read_text():
        pytest.skip("a host in a root of its own takes root and overlay file systems")
    if not SSHD.exists() or not shutil.which("ssh"):
        pytest.skip("there is no OpenSSH here")
    return tmp_path_factory.mktemp("hosts")


@pytest.fixture(scope="module")
def nas(below: Path) -> Iterator[SshHost]:
    """A host with this machine's programs, exportfs among them."""
    with SshHost(below, "nas1") as host:
        yield host


@pytest.fixture(scope="module")
def bare(below: Path) -> Iterator[SshHost]:
    """A host with a busybox."""
    with SshHost(below, "bare", is_bare=True) as host:
        yield host


@pytest.fixture(scope="module")
def client(below: Path, nas: SshHost, bare: SshHost, berth_command: Path) -> Client:  # noqa: F811
    """A client that both hosts let in as root and as admin."""
    return Client(client_config(below, [nas, bare]), berth_command)


def interrupted(argv: Sequence[str], begun: Path, times: int = 1) -> subprocess.CompletedProcess[str]:
    """Runs it, interrupts it as Ctrl-C does once that pipe is written to, and waits for its end."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with running(argv, **pipes, text=True, env=environment({})) as process:
        begun.read_text()
        for _ in range(times):
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(list(argv), process.returncode, out, err)
