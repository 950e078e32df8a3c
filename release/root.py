"""One root without a distribution's installer: Debian's Python, unpacked, the wheels that Berth takes, and Berth.

No maintainer script runs, so the root of a foreign machine needs no emulator. The image is this root; the command that
needs nothing starts the root's Python by the root's own loader, wherever it lies and whatever the host's libraries are.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from devcluster import progress
from release import debian, wheels
from release.machines import Machine

HERE = Path(__file__).parent
INTERPRETER = f"usr/bin/python{wheels.PYTHON}"
SITE = "usr/lib/python3/dist-packages"
"""Where Debian's Python looks for packages."""
START, START_COMMAND = "usr/lib/berth/start.py", "usr/lib/berth/command.py"
"""What starts Berth in the image, and as a command of a host."""
_LIBRARY = f"usr/lib/python{wheels.PYTHON}"
_CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"

_TOP = {"bin", "etc", "lib", "lib64", "sbin", "usr"}
"""The folders that the root has."""
_LEFT_OUT = (
    # Of Debian: settings of an installed system, documentation, and what only other programs take of glibc and OpenSSL.
    "usr/lib/*/audit",
    "usr/games",
    "usr/include",
    "usr/lib/binfmt.d",
    "usr/lib/*/engines-3",
    "usr/lib/*/gconv",
    "usr/lib/*/libBrokenLocale.so*",
    "usr/lib/*/libc_malloc_debug.so*",
    "usr/lib/*/libmemusage.so*",
    "usr/lib/*/libmvec.so*",
    "usr/lib/*/libnsl.so*",
    "usr/lib/*/libnss_[!df]*",
    "usr/lib/*/libpcprofile.so*",
    "usr/lib/*/libthread_db.so*",
    "usr/lib/os-release",
    "usr/sbin",
    "usr/share/binfmts",
    "usr/share/bug",
    "usr/share/dict",
    "usr/share/ca-certificates",
    "usr/share/base-files",
    "usr/share/doc/*/*[!t]",
    "usr/share/lintian",
    "usr/share/info",
    "usr/share/man",
    "usr/share/misc",
    "usr/share/python3",
    "usr/share/zoneinfo/localtime",
    "usr/share/zoneinfo/posix",
    "usr/share/zoneinfo/right",
    "usr/src",
    # Of Python: what is for development, for terminals, and for formats that are read nowhere here.
    *(f"{_LIBRARY}/{name}" for name in ("distutils", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "test")),
    *(f"{_LIBRARY}/{name}" for name in ("sitecustomize.py", "turtledemo", "venv", "_pydecimal.py")),
    *(f"{_LIBRARY}/lib-dynload/{name}.*" for name in ("_codecs_[!c]*", "_crypt", "_curses*", "_dbm", "_sqlite3")),
    *(f"{_LIBRARY}/lib-dynload/{name}.*" for name in ("_bz2", "_lzma", "_test*", "_uuid", "_x*", "nis", "readline")),
    # Of the wheels: types, sources of what is compiled, tests.
    *(f"{SITE}/**/*.{suffix}" for suffix in ("pyi", "pyx", "pxd", "c", "h")),
    f"{SITE}/**/tests",
    f"{SITE}/bin",
    f"{SITE}/pygments/lexers/[!_p]*",
)
_FILES = {
    "etc/group": "root:x:0:\nberth:x:65532:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n",
    "etc/passwd": "root:x:0:0:root:/:/sbin/nologin\nberth:x:65532:65532:Berth:/:/sbin/nologin\n",
    "usr/bin/berth": f"#!/{INTERPRETER} -I\nimport runpy\n\nrunpy.run_path('/{START}', run_name='__main__')\n",
}

_START = """\
# What this host preloads is made for its own libraries: Berth hands it on to what it starts.
if [ -n "${{LD_PRELOAD:-}}" ]; then
\tBERTH_LD_PRELOAD=$LD_PRELOAD
\texport BERTH_LD_PRELOAD
\tunset LD_PRELOAD
fi
exec {words} "$@"
"""


def make(machine: Machine, folder: Path, log: Path, *, compiler: list[str] | None = None) -> None:
    """Makes the machine's root in folder, which is there and empty.

    compiler: how to start a Python of the same version, where this root's own can't be started here. What counts is
    names, contents and links, and which files may be executed; owners, times and other modes mean nothing.
    """
    debian.merge_usr(folder)
    for package in debian.fetched(debian.locked(machine), log):
        debian.unpack(package, folder)
    authorities = sorted((folder / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    bundle = "".join(f"{one.read_text().strip()}\n" for one in authorities)
    wheels.install(machine, folder / SITE, log)
    _remove(path for path in folder.iterdir() if path.name not in _TOP)
    _remove(found for pattern in ("etc/*", *_LEFT_OUT) for found in sorted(folder.glob(pattern)))
    _write(folder, {**_FILES, _CERTIFICATES: bundle, START: (HERE / "start.py").read_text()})
    _write(folder, {"usr/share/doc/berth/copyright": (HERE.parent / "LICENSE").read_text()})
    _write(folder, {START_COMMAND: (HERE / "command_start.py").read_text()})
    (folder / "usr/bin/berth").chmod(0o755)
    # By a way that holds wherever the root lies.
    loader = folder / "usr" / machine.loader
    loader.unlink()
    loader.symlink_to(os.path.relpath(folder / machine.libraries / loader.name, loader.parent))
    (folder / "usr/lib/ssl").mkdir(exist_ok=True)
    (folder / "usr/lib/ssl/cert.pem").symlink_to(f"/{_CERTIFICATES}")
    _compile(folder, compiler or python(machine, folder), log)


def python(machine: Machine, home: Path | str) -> list[str]:
    """How to start the Python of the root that lies in home, from outside of it, on a machine of its kind."""
    program, libraries = f"{home}/{INTERPRETER}", f"{home}/{machine.libraries}"
    loader = f"{libraries}/{Path(machine.loader).name}"
    return [loader, "--inhibit-cache", "--library-path", libraries, "--argv0", program, program]


def command(machine: Machine, home: Path | str) -> list[str]:
    """How to start Berth there, as a command of the host: UTF-8 whatever the locale, nothing of the user's Python."""
    return [*python(machine, home), "-I", "-X", "utf8", f"{home}/{START_COMMAND}"]


def start(machine: Machine, home: str, file: str) -> str:
    """The last lines of a shell script that becomes Berth; home may be a variable of it.

    file: of the command that needs nothing; empty in a package.
    """
    words = " ".join(f'"{word}"' for word in (*command(machine, home), file))
    return _START.format(words=words)


def _compile(folder: Path, python: list[str], log: Path) -> None:
    """Compiles all Python there is: nobody can, or has to, write beside it afterwards."""
    # A compiled file tells nothing of where it was made; sets lie in it in the order of their hashes, hence the seed.
    options = ["-q", "-f", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", "/"]
    targets = [str(folder / name) for name in (_LIBRARY, SITE, "usr/lib/berth")]
    environment = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [*python, "-I", "-m", "compileall", *options, *targets]
    progress.run("Compiling Python's files", command, log=log, env=environment)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
