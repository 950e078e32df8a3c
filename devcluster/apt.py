"""apt with a sources list and state folders of its own, made from the machine's: the machine's own are not touched."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from devcluster import progress
from devcluster.errors import DevClusterError

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class Apt:
    """What Debian's archive has, asked in a folder of one's own. `update` comes first."""

    def __init__(self, folder: Path, lines: Sequence[str], log: Path, machines: Sequence[str] = ()) -> None:
        """lines: the sources list. machines: the architectures that are asked for, this machine's by default."""
        for made in ("lists/partial", "cache/archives/partial"):
            (folder / made).mkdir(parents=True, exist_ok=True)
        (folder / "sources.list").write_text("".join(f"{line}\n" for line in lines))
        options = [
            f"Dir::Etc::SourceList={folder}/sources.list",
            "Dir::Etc::SourceParts=-",
            f"Dir::State::Lists={folder}/lists",
            f"Dir::Cache={folder}/cache",
            "APT::Sandbox::User=root",
        ]
        if machines:
            options += ["Dir::State::status=/dev/null", f"APT::Architecture={machines[0]}"]
            options += [f"APT::Architectures::={one}" for one in machines]
        self.command = ["apt-get", *(part for option in options for part in ("-o", option))]
        self._log = log

    def update(self, title: str = "Reading Debian's list of packages") -> None:
        """Fetches the lists. StepFailed when that fails."""
        progress.run(title, [*self.command, "update"], log=self._log)


def archive_lines(kind: str, suite: str = "") -> Iterator[str]:
    """Lines of a sources list for the archives that the machine's own list names.

    kind: deb, or deb-src for sources. suite: the release to ask them for, the machine's own by default.
    """
    signed = f"[signed-by={_KEYRING}] " if _KEYRING.exists() else ""
    fields = "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(CODENAME)"
    argv = ["apt-get", "indextargets", "--format", fields, "Created-By: Packages"]
    answer = subprocess.run(argv, capture_output=True, text=True, check=True)
    archives = {tuple(line.split("|")) for line in answer.stdout.splitlines()}
    debian = sorted(archive[1:] for archive in archives if archive[0] == "Debian")
    if not debian:
        raise DevClusterError("apt knows no Debian archive here; run `apt-get update` (as root) once, and try again")
    for uri, release, component, codename in debian:
        own = codename.split("-")[0]
        yield f"{kind} {signed}{uri} {release.replace(own, suite or own)} {component}"
