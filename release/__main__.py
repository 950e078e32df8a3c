"""`make release`: everything that people get, into dist/, for every machine; the same bytes each time."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from berth.settings.home import HOME
from devcluster import binaries, build
from devcluster.errors import DevClusterError
from release import chart, command, krew, oci, packages, root, sbom, wheels
from release.labels import labels, version
from release.machines import MACHINES, Machine, native

DIST = Path(__file__).resolve().parent.parent / "dist"
SUMS = "SHA256SUMS"
"""The file that names all that is in a release."""


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 made, 1 not made after one sentence why, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="python3 -m release", description=__doc__)
    parser.add_argument("--output", type=Path, default=DIST, metavar="DIR", help="where to put it (dist/)")
    options = parser.parse_args(arguments)
    log = binaries.cache() / "log" / "release.log"
    os.umask(0o022)  # is in what dpkg-deb, rpmbuild and setuptools write
    try:
        with build.alone(binaries.cache() / "release.lock", "makes a release"):
            log.unlink(missing_ok=True)
            _make(options.output.absolute(), log)
    except (DevClusterError, OSError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("release: interrupted; dist/ is as it was", file=sys.stderr)
        return 130
    for made in sorted(options.output.iterdir()):
        print(f"{made.stat().st_size / 1e6:6.1f} MB  {made.name}")
    return 0


def _make(output: Path, log: Path) -> None:
    if foreign := _foreign(output):
        raise DevClusterError(
            f"{output} holds {foreign}, which is of no release and would be lost: name another folder"
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".release-", dir=output.parent) as work:
        draft = Path(work, "dist")
        draft.mkdir()
        for made in (wheels.build(Path(work, "own"), log), wheels.sdist(Path(work, "sources"), log)):
            shutil.move(made, draft)
        roots, archives = _roots(Path(work), log), {}
        for machine, folder in roots.items():
            shutil.copyfile(folder / sbom.PLACE, draft / f"berth-{version()}-sbom-{machine.name}.cdx.json")
            single = draft / f"berth-{version()}-linux-{machine.name}"
            command.make(machine, folder, single)
            archives[machine] = krew.archive(single)
            installed = Path(work, f"{machine.name}.installed")
            packages.lay_out(machine, folder, installed)
            packages.deb(machine, installed, draft, log)
            packages.rpm(machine, installed, draft, log)
            shutil.rmtree(installed)
        for name, machines in {"": MACHINES, **{f"-{one.name}": (one,) for one in MACHINES}}.items():
            layout = oci.Layout(Path(work, f"layout{name}"))
            for machine in machines:
                layout.add(machine, roots[machine], labels())
            layout.write(draft / f"berth-{version()}-image{name}.tar", HOME.image)
        krew.manifest(archives, draft, HOME)
        chart.make(draft / f"berth-chart-{version()}.tgz")
        sums = [f"{_sha256(made)}  {made.name}\n" for made in sorted(draft.iterdir())]
        (draft / SUMS).write_text("".join(sums))
        shutil.rmtree(output, ignore_errors=True)
        draft.replace(output)


def _foreign(output: Path) -> str:
    """What is in the folder, and of no release that was put there; empty where nothing is."""
    if not output.exists():
        return ""
    sums = output / SUMS
    known = {SUMS, *(line.split()[-1] for line in sums.read_text().splitlines() if line)} if sums.exists() else set()
    return next((path.name for path in sorted(output.iterdir()) if path.name not in known), "")


def _roots(work: Path, log: Path) -> dict[Machine, Path]:
    """The root of each machine; this machine's comes first, since its Python compiles for the others."""
    roots: dict[Machine, Path] = {}
    here = native()
    for machine in sorted(MACHINES, key=lambda one: one != here):
        roots[machine] = work / machine.name
        roots[machine].mkdir()
        compiler = root.python(here, roots[here]) if machine != here else None
        root.make(machine, roots[machine], log, compiler=compiler)
        sbom.write(machine, roots[machine], log)
    return roots


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
