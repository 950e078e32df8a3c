"""The error family of the NFS host's side. Every error is one sentence for people; the facts in it are attributes too.

ServerError
 |- Refused       what was asked for can't be had as it stands; nothing was touched
 |- NotAllowed    this process lacks a right; nothing was touched
 |- Busy          somebody else is changing the exports right now; nothing was touched
 |- NotApplied    exportfs did not take a change; what was live before is live again (or the error says what is not)
 `- StepFailed    a step of a plan failed; the steps before it are done and stay done
"""

from __future__ import annotations

from collections.abc import Sequence


class ServerError(Exception):
    """Base of the family; never raised itself."""


class Refused(ServerError):  # noqa: N818 - the design's word
    """A request that can't be honoured as it stands. field: the offending argument, option, path or file."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why


class NotAllowed(ServerError):  # noqa: N818
    """A right that this process lacks. action: what it is needed for; right: what is missing."""

    def __init__(self, action: str, right: str) -> None:
        super().__init__(f"{action} is not possible: {right}")
        self.action = action
        self.right = right


class Busy(ServerError):  # noqa: N818
    """Another process holds the lock on the exports. seconds: how long was waited for it."""

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__(f"another process is changing the exports: it held the lock on {path} for {seconds:g} s")
        self.path = path
        self.seconds = seconds


class NotApplied(ServerError):  # noqa: N818
    """A change of the exports that exportfs did not take.

    stderr: what exportfs said, whole. restored: the file and the live table are as they were before. lost: exports
    (`client:/path`) that were live before and are not any more, where restored is False.
    """

    def __init__(self, why: str, *, stderr: str = "", restored: bool = True, lost: Sequence[str] = ()) -> None:
        said = " ".join(stderr.split())
        after = "nothing is changed" if restored else "the old state could not be brought back whole"
        gone = f"; no longer live: {', '.join(lost)}" if lost else ""
        super().__init__(f"{why}; {after}{gone}" + (f" (exportfs said: {said})" if said else ""))
        self.why = why
        self.stderr = stderr
        self.restored = restored
        self.lost = tuple(lost)


class StepFailed(ServerError):  # noqa: N818
    """A step of a plan that failed. step: what it does, in words; stderr: what the command said, whole."""

    def __init__(self, step: str, why: str, *, stderr: str = "") -> None:
        super().__init__(f"{step}: {why}")
        self.step = step
        self.why = why
        self.stderr = stderr
