"""Whether a mount answers. The question is asked by a process of its own, since it may never come back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from berth.aio import command

DEADLINE = 3.0
"""Seconds that a healthy server never takes for statfs."""


@dataclass(frozen=True, slots=True)
class MountSpace:
    """What statfs says."""

    blocks: int
    blocks_free: int
    """For users who are not root."""
    inodes: int
    inodes_free: int

    @property
    def percent_of_space(self) -> int:
        """How much of the space is used; 0 where the server does not say."""
        return round(100 * (1 - self.blocks_free / self.blocks)) if self.blocks > 0 else 0

    @property
    def percent_of_inodes(self) -> int:
        """How many of the inodes are used; 0 where the server has no such limit."""
        return round(100 * (1 - self.inodes_free / self.inodes)) if self.inodes > 0 else 0


@dataclass(frozen=True, slots=True)
class MountAnswer:
    """What came of asking a mount. space is there if it is `alive`; why is the reason if it is anything else."""

    state: Literal["alive", "hangs", "stale", "fails"]
    space: MountSpace | None = None
    why: str = ""


async def ask(point: Path) -> MountAnswer:
    """Asks the server behind a mount point for its space, and says what came of it within DEADLINE and a moment."""
    try:
        result = await command.run(["stat", "-f", "-c", "%b %a %c %d", "--", str(point)], deadline=DEADLINE)
        blocks, free, inodes, inodes_free = (int(word) for word in result.stdout.split())
    except command.CommandTimedOut:
        return MountAnswer("hangs", why=f"no answer within {DEADLINE:g} s")
    except command.CommandFailed as error:
        said = error.stderr.strip()
        return MountAnswer("stale" if "Stale file handle" in said else "fails", why=said)
    except ValueError as error:
        return MountAnswer("fails", why=f"unreadable answer of stat: {error}")
    return MountAnswer("alive", MountSpace(blocks, free, inodes, inodes_free))
