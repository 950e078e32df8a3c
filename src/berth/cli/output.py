"""What every command prints alike: complaints, and what exit codes mean."""

from __future__ import annotations

import sys

EXIT_FAILED = 1
"""It was understood, and did not work."""
EXIT_USAGE = 2
"""It was not understood: wrong arguments, settings or configuration."""


def complain(sentence: str) -> None:
    """One sentence on stderr."""
    print(f"berth: {sentence}", file=sys.stderr)  # noqa: T201 - this is the place that prints
