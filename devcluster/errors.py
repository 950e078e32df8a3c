"""What can go wrong while the dev cluster is set up or runs.

DevClusterError        base; one sentence for people
 |- ProcessFailed      a process ended or did not become ready; carries the end of its log
 |- CommandFailed      a command answered with an error (kubectl, openssl, apt-get, make)
 |- ProgramMissing     a program is not installed here
 `- AlreadyRunning     a cluster is up already
"""

from __future__ import annotations

from pathlib import Path


class DevClusterError(Exception):
    """Base of the family; the message is one sentence for people."""


class ProcessFailed(DevClusterError):  # noqa: N818 - reads better where it is raised
    """A process ended on its own, or was not ready in time. The last lines of its log are part of the message."""

    def __init__(self, name: str, why: str, log: Path, tail: str) -> None:
        said = "\n".join(f"    {line}" for line in tail.splitlines()) or "    (it has written nothing)"
        super().__init__(f"{name} {why}; the end of {log}:\n{said}")
        self.name = name
        self.why = why
        self.log = log
        self.tail = tail


class CommandFailed(DevClusterError):  # noqa: N818
    """A command ended with an error."""

    def __init__(self, argv: list[str], code: int, stderr: str) -> None:
        super().__init__(f"`{' '.join(argv)}` ended with {code}: {stderr.strip() or 'it said nothing'}")
        self.argv = argv
        self.code = code
        self.stderr = stderr


class ProgramMissing(DevClusterError):  # noqa: N818
    """A program that the dev cluster needs is not here."""


class AlreadyRunning(DevClusterError):  # noqa: N818
    """A dev cluster of this checkout is up already."""
