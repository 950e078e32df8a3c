"""Makes messages.tsv out of the message catalogues of glibc, util-linux and coreutils.

apt-get download libc-l10n util-linux-locales coreutils
for each in *.deb; do dpkg-deb -x "$each" catalogues; done
python -m berth.doctor.wordings.gather catalogues
"""

from __future__ import annotations

import gettext
import sys
from collections.abc import Iterator
from pathlib import Path

WANTED: dict[str, tuple[str, ...]] = {
    "libc": (
        "Operation not permitted",
        "No such file or directory",
        "Input/output error",
        "Permission denied",
        "Device or resource busy",
        "Invalid cross-device link",
        "No such device",
        "Invalid argument",
        "No space left on device",
        "Read-only file system",
        "Resource temporarily unavailable",
        "No locks available",
        "Protocol not supported",
        "Protocol family not supported",
        "Address family not supported by protocol",
        "Operation not supported",
        "Network is unreachable",
        "Network is down",
        "Host is down",
        "Connection reset by peer",
        "Connection refused",
        "Connection timed out",
        "No route to host",
        "Stale file handle",
        "Disk quota exceeded",
        "Remote I/O error",
        "Required key not available",
        "Key has expired",
        "RPC: Unable to receive",
        "RPC: Timed out",
        "RPC: Program not registered",
        "RPC: Port mapper failure",
        "RPC: Remote system error",
    ),
    "util-linux": (
        "wrong fs type, bad option, bad superblock on %s, missing codepage or helper program, or other error",
        "bad option; for several filesystems (e.g. nfs, cifs) you might need a /sbin/mount.<type> helper program",
        "unknown filesystem type '%s'",
        "target is busy",
        "mount point does not exist",
        "must be superuser to use mount",
    ),
    "coreutils": (
        "changing ownership of %s",
        "cannot create directory %s",
        "cannot touch %s",
        "cannot remove %s",
        "error writing %s",
        "closing output file %s",
        "cannot open directory %s",
        "cannot access %s",
        "cannot read file system information for %s",
    ),
}
"""Of each catalogue the messages that failures of NFS are told by."""

HEAD = """\
# What glibc (strerror), util-linux (mount, umount) and coreutils say in other languages, of what failures of NFS are
# told by; made by gather.py from the message catalogues of Debian 12: libc-l10n 2.36 (LGPL-2.1-or-later),
# util-linux-locales 2.38.1 (GPL-2.0-or-later), coreutils 9.1 (GPL-3.0-or-later). Each line: English, other, languages.
"""


def gather(folder: Path) -> Iterator[str]:
    """The lines of messages.tsv."""
    for domain, messages in WANTED.items():
        catalogues = dict(sorted(_catalogues(folder, domain)))
        for english in messages:
            said: dict[str, list[str]] = {}
            for language, catalogue in catalogues.items():
                other = catalogue.gettext(english)
                other = " ".join(other.split())
                if other != english and other.count("%s") == english.count("%s"):
                    said.setdefault(other, []).append(language)
            yield from (f"{english}\t{other}\t{' '.join(languages)}" for other, languages in said.items())


def _catalogues(folder: Path, domain: str) -> Iterator[tuple[str, gettext.GNUTranslations]]:
    for file in folder.glob(f"**/locale/*/LC_MESSAGES/{domain}.mo"):
        with file.open("rb") as stream:
            yield file.parts[-3], gettext.GNUTranslations(stream)


def main() -> None:
    """Writes the file anew, from the folder named on the command line."""
    lines = "".join(f"{line}\n" for line in gather(Path(sys.argv[1])))
    (Path(__file__).parent / "messages.tsv").write_text(HEAD + lines, "utf-8")


if __name__ == "__main__":
    main()
