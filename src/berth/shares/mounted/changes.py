"""What a mounted share changes: directories made, files written, volumes moved, empty things removed. Blocking."""

from __future__ import annotations

import ctypes
import errno
import os
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress

from berth.shares.mounted.openat import Root, expect, look_inside, sync
from berth.volumes.errors import Missing, Refused, Taken
from berth.volumes.share import Entry, Made

PARENT_MODE = 0o755
FILE_MODE = 0o600
_NO_REPLACE = 1
_UNSUPPORTED = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP})
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK})
_LIBC = ctypes.CDLL(None, use_errno=True)


def make_directory(
    root: Root, parts: Sequence[str], *, mode: int, uid: int | None, gid: int | None, adopt: bool
) -> Made:
    """See Share.make_directory."""
    here = os.dup(root.descriptor)
    try:
        for depth, part in enumerate(parts, 1):
            is_last = depth == len(parts)
            is_new = _make(here, part)
            inner = root.enter(here, part, parts[:depth])
            if is_new:
                sync(here)
            os.close(here)
            here = inner
            if is_new and not is_last:
                _settle(here, PARENT_MODE, None, None)
                sync(here)
        if is_new or adopt:
            _settle(here, mode, uid, gid)
            sync(here)
        return Made(is_new, look_inside(here, parts[-1]))
    finally:
        os.close(here)


def _make(parent: int, name: str) -> bool:
    try:
        os.mkdir(name, 0o700, dir_fd=parent)
    except FileExistsError:
        return False
    return True


def _settle(directory: int, mode: int, uid: int | None, gid: int | None) -> None:
    """Mode and owner of a directory that was opened with O_PATH, which takes a detour through /proc."""
    found = os.stat(directory)
    itself = f"/proc/self/fd/{directory}"
    gives = (uid is not None and found.st_uid != uid) or (gid is not None and found.st_gid != gid)
    if gives:
        os.chown(itself, -1 if uid is None else uid, -1 if gid is None else gid)
    # Giving a directory away can take its setuid and setgid bits.
    if gives or found.st_mode & 0o7777 != mode:
        os.chmod(itself, mode)


def write_file(root: Root, parts: Sequence[str], content: bytes, *, exclusive: bool) -> None:
    """See Share.write_file."""
    with root.directory(parts[:-1]) as parent:
        with suppress(Missing):
            found = root.look(parent, parts)
            if exclusive:
                raise Taken(root.share, "/".join(parts))
            expect("file", found, parts)
        temporary = f".tmp-{uuid.uuid4().hex}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with open(os.open(temporary, flags, FILE_MODE, dir_fd=parent), "wb") as file:
                os.fchmod(file.fileno(), FILE_MODE)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if exclusive:
                _name(root, parent, temporary, parts)
            else:
                root.allow()
                os.rename(temporary, parts[-1], src_dir_fd=parent, dst_dir_fd=parent)
            sync(parent)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=parent)
            raise


def _name(root: Root, parent: int, temporary: str, parts: Sequence[str]) -> None:
    """Gives a finished file its name, unless something has it."""
    try:
        os.link(temporary, parts[-1], src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
    except FileExistsError as error:
        raise Taken(root.share, "/".join(parts)) from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A file system without hard links.
        try:
            _rename_to_new(parent, temporary, parent, parts[-1], lambda: None)
        except FileExistsError as taken:
            raise Taken(root.share, "/".join(parts)) from taken
    else:
        os.unlink(temporary, dir_fd=parent)


def rename(root: Root, source: Sequence[str], target: Sequence[str], only: Entry | None) -> None:
    """See Share.rename. The source is looked at first and, right before it is moved, last; open in between, so that
    nothing made in its place can pass for it. What happens between that last look and the move, no system call tells.
    """
    with root.directory(target[:-1]) as to, root.directory(source[:-1]) as origin, ExitStack() as held:
        meant = only
        with suppress(Missing):
            opened = root.enter(origin, source[-1], source)
            held.callback(os.close, opened)
            meant = meant or look_inside(opened, source[-1])
        try:
            with suppress(Missing):
                root.look(to, target)
                raise Taken(root.share, "/".join(target))
            if meant is None or root.look(origin, source).identity != meant.identity:
                raise Missing(root.share, "/".join(source))
            _rename_to_new(origin, source[-1], to, target[-1], root.allow)
            sync(to)
            sync(origin)
        except FileNotFoundError as error:
            raise Missing(root.share, "/".join(source)) from error
        except OSError as error:
            if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR):
                raise Taken(root.share, "/".join(target)) from error
            if error.errno in (errno.EXDEV, errno.EINVAL):
                why = f"can't be moved to {'/'.join(target)!r}, which is inside it or on another file system"
                raise Refused("/".join(source), why) from error
            raise


def _rename_to_new(origin: int, name: str, to: int, new_name: str, allow: Callable[[], None]) -> None:
    """Renames to a name that must be free. FileExistsError otherwise. allow: called right before it happens.

    Where the file system can't promise that (NFS), the caller has looked, and what slips in between is at most an empty
    directory: nothing else gives way to a directory.
    """
    arguments = (origin, os.fsencode(name), to, os.fsencode(new_name))
    allow()
    if _LIBC.renameat2(*arguments, _NO_REPLACE) == 0:
        return
    code = ctypes.get_errno()
    if code not in _UNSUPPORTED:
        raise OSError(code, os.strerror(code), name)
    allow()
    os.rename(name, new_name, src_dir_fd=origin, dst_dir_fd=to)


def remove_file(root: Root, parts: Sequence[str]) -> None:
    """See Share.remove_file."""
    with suppress(Missing, FileNotFoundError), root.directory(parts[:-1]) as parent:
        expect("file", root.look(parent, parts), parts)
        root.allow()
        os.unlink(parts[-1], dir_fd=parent)


def remove_directory(root: Root, parts: Sequence[str]) -> bool:
    """See Share.remove_directory."""
    with suppress(Missing, FileNotFoundError), root.directory(parts[:-1]) as parent:
        expect("directory", root.look(parent, parts), parts)
        root.allow()
        try:
            os.rmdir(parts[-1], dir_fd=parent)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                return False
            raise
    return True
