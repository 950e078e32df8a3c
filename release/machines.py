"""The kinds of machines that Berth is released for, and what each is called by whom."""

from __future__ import annotations

import platform
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Machine:
    """One kind of machine."""

    name: str
    """As Debian, OCI and our file names call it."""
    kernel: str
    """As `uname -m` and the wheels' tags call it; `<kernel>-linux-gnu` is where its libraries lie."""
    loader: str
    """Where programs look for the dynamic loader: a path that is part of the machine's ABI."""

    @property
    def libraries(self) -> str:
        """The folder of its libraries, below the root."""
        return f"usr/lib/{self.kernel}-linux-gnu"


AMD64 = Machine("amd64", "x86_64", "lib64/ld-linux-x86-64.so.2")
ARM64 = Machine("arm64", "aarch64", "lib/ld-linux-aarch64.so.1")
MACHINES = (AMD64, ARM64)


def native() -> Machine:
    """The kind of this machine; KeyError where nothing is released for it."""
    return {machine.kernel: machine for machine in MACHINES}[platform.machine()]
