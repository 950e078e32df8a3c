"""What is left to do to export a directory from this host: steps, with their reasons and commands, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from berth.nfsserver.setup.packages import Command
from berth.texts.command import Shell
from berth.texts.text import Text, joined

StepKind = Literal["packages", "directory", "exports", "services"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InitStep:
    """One thing to do. commands: what a person would type for it."""

    kind: StepKind
    summary: Text
    reasons: tuple[Text, ...]
    commands: tuple[Shell, ...]

    def as_dict(self) -> dict[str, object]:
        """The step for `-o json`."""
        texts = {"summary": self.summary.as_dict(), "reason": joined(self.reasons).as_dict()}
        return {"kind": self.kind, **texts, "commands": list(self.commands)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCommands(InitStep):
    """Commands to run one after the other. deadline: seconds for each; grace: to end in good order after Ctrl-C."""

    run: tuple[Command, ...]
    deadline: float
    grace: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareDirectory(InitStep):
    """Makes the directory, or gives it another mode or owner."""

    path: str
    mode: int
    uid: int
    gid: int
    found: tuple[int, int] | None = None
    """Device and inode of the directory that is to be changed; None: it is to be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteExports(InitStep):
    """Writes the path's line in Berth's own file, and makes it live."""

    path: str
    clients: tuple[tuple[str, tuple[str, ...]], ...]
    """Client and options, in the order in which they have to stand."""


@dataclass(frozen=True, slots=True)
class InitPlan:
    """Steps in their order. Empty when all is as it should be."""

    path: str
    steps: tuple[InitStep, ...]
    notes: tuple[Text, ...] = field(default=())
    """What init does not do, and somebody should know."""
    warnings: tuple[Text, ...] = field(default=())
    """What is dangerous in what was asked for."""
    hindrance: Text | None = None
    """Why this host will not serve the exports, though all steps are done; None where it will."""

    @property
    def is_empty(self) -> bool:
        """Is nothing left to do."""
        return not self.steps
