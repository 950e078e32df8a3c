"""Posts Events in the background: merged when they repeat, dropped rather than waited for."""

from __future__ import annotations

from berth.kube.client import Api
from berth.kube.outcome import Note


class Recorder:
    """Delivers Notes as Events of the core API."""

    def __init__(
        self,
        api: Api,
        *,
        component: str,
        host: str = "",
        waiting: int = 10_000,
        concurrency: int = 4,
        merge_seconds: float = 600.0,
    ) -> None: ...

    def post(self, note: Note) -> None:
        """Queues note; never waits, never fails. When too much waits already, the note is dropped and counted."""
        raise NotImplementedError

    async def run(self) -> None:
        """Delivers for ever."""
        raise NotImplementedError

    async def flush(self) -> None:
        """Returns when all that was posted has been delivered or given up; the caller sets the deadline. run must be
        running.
        """
        raise NotImplementedError
