"""Runs a script in a real Linux kernel that has what this machine's may lack: an NFS server and client, XFS, quotas.

The kernel is user-mode Linux, Debian's package: an ordinary program, up in a second. In the guest all files of this
machine are there, the checkout and its `.venv` too, read-only below a throw-away layer in memory. Besides: /srv/xfs
(XFS) and /srv/ext4 (ext4), empty, both with project quotas; a loopback network; and what guest/functions.sh offers,
such as start_nfsd. CPU work runs at full speed; a system call takes some 50 µs, and starting a program 20 ms.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from devcluster import binaries, directories
from devcluster.errors import CommandFailed, DevClusterError, ProgramMissing

ROOT = Path(__file__).resolve().parent.parent
"""The checkout, where scripts in the guest start."""

_GUEST = Path(__file__).resolve().parent / "guest"
_MODULES = Path("/usr/lib/uml/modules")


class KernelFailed(DevClusterError):  # noqa: N818 - reads better where it is raised
    """The guest ended without an exit code: it crashed, or its time was up. output: all that it printed."""

    def __init__(self, why: str, output: str) -> None:
        said = "\n".join(f"    {line}" for line in output.splitlines()[-30:]) or "    (it has printed nothing)"
        super().__init__(f"the script in user-mode Linux {why}; the end of what it printed:\n{said}")
        self.output = output


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a script."""

    exit_code: int
    output: str
    """What it printed, errors included."""
    out_dir: Path
    """What it wrote to the folder $OUT."""

    def check(self) -> None:
        """AssertionError with the output when the script ended with an error."""
        if self.exit_code:
            raise AssertionError(f"the script in user-mode Linux ended with {self.exit_code}:\n{self.output}")


def run_in_kernel(
    script: str | Path,
    *,
    out_dir: Path,
    deadline: float = 300.0,
    memory: str = "1G",
    overlay_size: str = "400M",
    disk_size: str = "1G",
    env: Mapping[str, str] | None = None,
) -> Result:
    """Runs a bash script (its text, or its file) as root of a guest of its own; any number of guests run side by side.

    out_dir: a folder, made if missing, that the script finds as $OUT. deadline: seconds for all of it; KernelFailed
    after that. overlay_size: what may be written outside /srv, out of memory. disk_size: of each file system below
    /srv. env: variables for the script. Sizes as `mkfs` and `mount` take them.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    work = directories.make("kernel")
    try:
        _prepare(work, script, overlay_size, env or {})
        disks = [_make_disk(work / "xfs.img", disk_size), _make_disk(work / "ext4.img", disk_size)]
        console, is_late = _boot(work, disks, memory, deadline)
        for made in (work / "shared" / "out").iterdir():
            shutil.move(made, out_dir / made.name)
        printed = work / "shared" / "output"
        output = printed.read_text(errors="replace") if printed.exists() else ""
        told = work / "shared" / "exit-code"
        if is_late or not told.exists():
            why = f"did not end within {deadline:.0f} s" if is_late else "died without an exit code"
            raise KernelFailed(why, f"{output}{console}")
        return Result(int(told.read_text()), output, out_dir)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _prepare(work: Path, script: str | Path, overlay_size: str, env: Mapping[str, str]) -> None:
    """Puts what the guest reads into work: the guest sees it at the same place."""
    (work / "shared" / "out").mkdir(parents=True)
    for name in ("init.sh", "main.sh", "functions.sh"):
        shutil.copy(_GUEST / name, work / name)
        (work / name).chmod(0o755)
    (work / "script.sh").write_text(script.read_text() if isinstance(script, Path) else script)
    settings = {"ROOT": str(ROOT), "OVERLAY_SIZE": overlay_size, **env}
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()]
    (work / "settings.sh").write_text("".join(lines))
    versions = sorted(_MODULES.iterdir()) if _MODULES.exists() else []
    if not versions:
        raise ProgramMissing("there is no user-mode Linux here; Debian's package user-mode-linux has it")
    # modprobe looks below lib/modules of the folder that it is given.
    found = work / "modules" / "lib" / "modules" / versions[-1].name
    found.parent.mkdir(parents=True)
    found.symlink_to(versions[-1])


def _make_disk(image: Path, size: str) -> Path:
    """A file system with project quotas in a sparse file; its kind is the file's name."""
    _run(["truncate", f"--size={size}", str(image)])
    if image.stem == "xfs":
        _run(["mkfs.xfs", "-q", "-m", "reflink=1", str(image)])
    else:
        quotas = ["-O", "project,quota", "-E", "quotatype=usrquota:grpquota:prjquota"]
        _run(["mkfs.ext4", "-q", "-F", *quotas, str(image)])
    return image


def _boot(work: Path, disks: list[Path], memory: str, deadline: float) -> tuple[str, bool]:
    """Runs the guest to its end; answers what its kernel printed, and whether its time was up."""
    argv = [
        *("setpriv", "--pdeathsig", "KILL", "--", "linux.uml", f"mem={memory}", f"uml_dir={work}/uml"),
        *("quiet", "loglevel=2", "rootfstype=hostfs", "root=none", "rootflags=/", "ro", f"init={work}/init.sh"),
        *("con=null", "con0=null,fd:1", "ssl=null", *(f"ubd{'ab'[i]}={disk}" for i, disk in enumerate(disks))),
    ]
    env = {**os.environ, "LD_PRELOAD": str(_shim()), "TMPDIR": "/dev/shm" if Path("/dev/shm").exists() else "/tmp"}
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=env,
        start_new_session=True,
    ) as guest:
        is_late = False
        try:
            output, _ = guest.communicate(timeout=deadline)
        except subprocess.TimeoutExpired:
            is_late = True
            _end(guest)
            output, _ = guest.communicate()
        finally:
            _end(guest)
    return output.decode(errors="replace").replace("\r\n", "\n"), is_late


def _end(guest: subprocess.Popen[bytes]) -> None:
    """Ends the guest and the processes of this machine that run its programs; they share its session."""
    with suppress(ProcessLookupError):
        os.killpg(guest.pid, signal.SIGKILL)


def _shim() -> Path:
    """The compiled guest/wide_xstate.c, made once for each version of it."""
    source = _GUEST / "wide_xstate.c"
    made = binaries.cache() / "kernel" / f"wide_xstate-{hashlib.sha256(source.read_bytes()).hexdigest()[:12]}.so"
    if not made.exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        draft = made.with_suffix(f".{os.getpid()}")
        _run(["gcc", "-O2", "-shared", "-fPIC", "-o", str(draft), str(source)])
        os.replace(draft, made)
    return made


def _run(argv: list[str]) -> None:
    try:
        answer = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError as error:
        raise ProgramMissing(
            f"there is no {argv[0]} here, which running a guest takes; `make setup` gets it"
        ) from error
    if answer.returncode:
        raise CommandFailed(argv, answer.returncode, answer.stderr)
