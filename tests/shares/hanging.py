"""A directory on which every call hangs in the kernel, like a hard NFS mount whose server is gone."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from types import TracebackType
from typing import Self

_LIBC = ctypes.CDLL(None, use_errno=True)
_DETACH = 2


class HangingMount:
    """A FUSE file system that nobody serves: requests wait until it comes back, that is, until it is taken away."""

    def __init__(self, directory: Path) -> None:
        self._directory = bytes(directory)
        self._device = -1

    def __enter__(self) -> Self:
        self._device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self._device},rootmode=40000,user_id=0,group_id=0".encode()
        if _LIBC.mount(b"berth-test", self._directory, b"fuse", 0, options):
            raise OSError(ctypes.get_errno(), "can't mount FUSE")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Fails whatever hangs, and shows the directory underneath again."""
        if self._device >= 0:
            _LIBC.umount2(self._directory, _DETACH)
            os.close(self._device)
            self._device = -1
