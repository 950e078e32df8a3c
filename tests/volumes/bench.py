"""What tests of volumes work on: a share that they can also get at from behind."""

from __future__ import annotations

from typing import Protocol

from berth.volumes.share import Share


class Bench(Share, Protocol):
    """A share, and what somebody with a mount could see and do there without asking Berth."""

    def plant_link(self, path: str) -> None:
        """Puts a symbolic link at path, whose parent exists."""

    def take_away(self, path: str) -> None:
        """Removes whatever is at path."""

    def tree(self) -> dict[str, str]:
        """All that is on the share: path -> kind, mode, owner and content."""
