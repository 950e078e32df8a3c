"""People at work: claims filed, used and deleted without a pause, through whatever happens meanwhile."""

from __future__ import annotations

import http.client
import itertools
import random
import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

from tests.e2e.api import ApiError
from tests.e2e.site import Site
from tests.e2e.waiting import until

AT_ONCE = 6
"""Claims that a person keeps."""


class Churn:
    """One person, as a thread. Deletes claims of any age, Bound or not; what is left in the end stays."""

    def __init__(self, site: Site, *classes: str, name: str = "churn") -> None:
        """classes: what claims are filed for. name: how theirs begin."""
        self.filed = 0
        self._site = site
        self._classes = classes
        self._name = name
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._enough.set()
        self._thread.join(30)
        if self._failure is not None and error is None:
            raise self._failure

    def wait_more(self, count: int) -> None:
        """Returns once so many more claims were filed."""
        before = self.filed
        until(f"{count} more claims were filed", lambda: self._failure is not None or self.filed >= before + count)

    def _work(self) -> None:
        try:
            self._live()
        except BaseException as error:  # noqa: BLE001 - raised again where the test can see it
            self._failure = error

    def _live(self) -> None:
        site, chance, mine = self._site, random.Random(self._name), list[str]()
        for number in itertools.count():
            if self._enough.wait(0.02):
                return
            name = f"{self._name}-{number}"
            self._insist(partial(self._file, name, chance.choice(self._classes)))
            mine.append(name)
            self.filed += 1
            if len(mine) > AT_ONCE:
                # Mostly an old one, which is in use by now; sometimes one that was filed a moment ago.
                victim = mine.pop(0 if chance.random() < 0.7 else -1)
                self._insist(partial(site.delete_claim, victim))

    def _file(self, name: str, of_class: str) -> None:
        try:
            self._site.file_claim(name, of_class)
        except ApiError as error:
            if error.code != 409:  # an earlier try got through, only its answer was lost
                raise

    def _insist(self, action: Callable[[], None]) -> None:
        """Does it, however often the API server is away."""
        while not self._enough.is_set():
            try:
                action()
            except (OSError, http.client.HTTPException):
                self._enough.wait(0.1)
            except ApiError as error:
                if error.code < 500 and error.code != 429:
                    raise
                self._enough.wait(0.1)
            else:
                return
