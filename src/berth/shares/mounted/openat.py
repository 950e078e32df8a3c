"""A share's directories below a directory of this machine, reached part by part and never through a link. Blocking.

What is done, is done to a name in a directory that was opened on the way down from the root, so nothing that is renamed
or linked meanwhile leads it elsewhere. OSError passes through, where it has no meaning of its own.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from berth.shares.mounted.statx import born
from berth.volumes.errors import Missing, Refused, Unavailable
from berth.volumes.listing import Listing
from berth.volumes.share import Entry, EntryKind, Guard, Space, always

PASS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""To open a directory only to reach what is in it, which takes no right to read it."""
READ = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
MOST_READ = 1 << 20
"""Bytes of the largest file that is read."""


class Root:
    """The share's root directory, for the length of one operation."""

    def __init__(self, descriptor: int, share: str, guard: Guard = always) -> None:
        """descriptor: of the root; whoever opened it closes it."""
        self.descriptor = descriptor
        self.share = share
        self.guard = guard

    def allow(self) -> None:
        """To be called right before a system call that can't be taken back. Unavailable when it may not be made."""
        why = self.guard()
        if why:
            raise Unavailable(self.share, "lease", why)

    @contextmanager
    def directory(self, parts: Sequence[str]) -> Iterator[int]:
        """A descriptor of the directory at parts. Missing; Refused when a link, or no directory, is met."""
        here = os.open(".", PASS, dir_fd=self.descriptor)
        try:
            for depth, part in enumerate(parts, 1):
                inner = self.enter(here, part, parts[:depth])
                os.close(here)
                here = inner
            yield here
        finally:
            os.close(here)

    def enter(self, directory: int, part: str, parts: Sequence[str]) -> int:
        """Opens the directory called part in another one; parts: the way to it, for errors."""
        try:
            return os.open(part, PASS, dir_fd=directory)
        except OSError as error:
            if error.errno == errno.ENOENT:
                raise Missing(self.share, "/".join(parts)) from error
            if error.errno in (errno.ENOTDIR, errno.ELOOP):
                expect("directory", self.look(directory, parts), parts)
            raise

    def look(self, directory: int, parts: Sequence[str]) -> Entry:
        """What the last of parts is in the directory that the others led to; a link is a link. Missing."""
        try:
            return look(directory, parts[-1])
        except FileNotFoundError as error:
            raise Missing(self.share, "/".join(parts)) from error

    def stat(self, parts: Sequence[str]) -> Entry:
        if not parts:
            return look_inside(self.descriptor, "")
        with self.directory(parts[:-1]) as parent:
            return self.look(parent, parts)

    def read(self, parts: Sequence[str], listing: Listing) -> Listing:
        """The listing, filled with the entries of a directory."""
        with self.directory(parts) as directory, readable(directory) as opened, os.scandir(opened) as found:
            for each in found:
                if listing.is_full:
                    break
                try:
                    listing.add(look(opened, each.name))
                except FileNotFoundError:
                    continue  # it went while the directory was read
            return listing

    def read_file(self, parts: Sequence[str]) -> bytes:
        """See Share.read_file. A file that another client replaces is stale once it is open, and looked for again."""
        known = None
        with self.directory(parts[:-1]) as parent:
            while True:
                found = self.look(parent, parts)
                expect("file", found, parts)
                try:
                    content = _content(parent, parts)
                except OSError as error:
                    if error.errno != errno.ESTALE or found.identity == known:
                        raise
                    known = found.identity
                    continue
                if len(content) > MOST_READ:
                    raise Refused("/".join(parts), f"is larger than {MOST_READ >> 20} MiB")
                return content

    def space(self) -> Space:
        found = os.fstatvfs(self.descriptor)
        return Space(
            total_bytes=found.f_blocks * found.f_frsize,
            free_bytes=found.f_bavail * found.f_frsize,
            total_inodes=found.f_files,
            free_inodes=found.f_favail,
        )


def _content(parent: int, parts: Sequence[str]) -> bytes:
    # O_NONBLOCK: should a pipe have taken the file's place, opening it must not wait for a writer.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(parts[-1], flags, dir_fd=parent), "rb") as file:
        expect("file", look_inside(file.fileno(), parts[-1]), parts)
        return file.read(MOST_READ + 1)


@contextmanager
def readable(directory: int) -> Iterator[int]:
    """Another descriptor of the same directory, good for listing it."""
    opened = os.open(".", READ, dir_fd=directory)
    try:
        yield opened
    finally:
        os.close(opened)


def sync(directory: int) -> None:
    """Has a directory and the names in it on stable storage when this returns.

    Over NFS they are before the server answers; the kernel knows that, and asks for nothing.
    """
    try:
        with readable(directory) as opened:
            os.fsync(opened)
    except OSError as error:
        # One that we may not read is on NFS, where root is squashed; what has no such call has nothing to keep.
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EINVAL):
            raise


def look(directory: int, name: str) -> Entry:
    """What a name in an open directory stands for; a link is a link."""
    return _entry(name, os.stat(name, dir_fd=directory, follow_symlinks=False), born(directory, name))


def look_inside(descriptor: int, name: str) -> Entry:
    """What was opened, whatever has its name by now."""
    return _entry(name, os.stat(descriptor), born(descriptor))


def _entry(name: str, found: os.stat_result, birth: int) -> Entry:
    return Entry(
        name,
        _kind(found.st_mode),
        stat.S_IMODE(found.st_mode),
        found.st_uid,
        found.st_gid,
        found.st_dev,
        # The number alone is given to another directory soon after one is removed.
        f"{found.st_dev}:{found.st_ino}:{birth}".encode(),
    )


def expect(kind: EntryKind, found: Entry, parts: Sequence[str]) -> None:
    """Refused unless something is what it should be."""
    if found.kind == kind:
        return
    if found.kind == "link":
        raise Refused("/".join(parts), "is a symbolic link on the share, and links are never followed")
    raise Refused("/".join(parts), "is no directory" if kind == "directory" else "is no regular file")


def _kind(mode: int) -> EntryKind:
    if stat.S_ISDIR(mode):
        return "directory"
    if stat.S_ISREG(mode):
        return "file"
    return "link" if stat.S_ISLNK(mode) else "other"
