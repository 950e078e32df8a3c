"""What can go wrong while the bench runs: one sentence, and where to look."""

from __future__ import annotations


class BenchFailed(Exception):  # noqa: N818 - reads better where it is raised
    """A part could not be measured; the message is for people."""
