"""Who waits for which PVs to go or change. Each waits once, and as long as there is something that it waits for."""

from __future__ import annotations

from collections.abc import Callable


class Waiting:
    """Waiters by a key of their own, and by the PVs that stand in their way."""

    def __init__(self) -> None:
        self._waiters: dict[str, tuple[tuple[str, ...], Callable[[], None]]] = {}
        self._by_pv: dict[str, dict[str, None]] = {}  # PV -> keys, in their order

    def put(self, key: str, pvs: tuple[str, ...], wake: Callable[[], None]) -> None:
        """Has wake called once one of pvs goes or changes; whatever this key waited for before is forgotten."""
        self.drop(key)
        if pvs:
            self._waiters[key] = (pvs, wake)
        for pv in pvs:
            self._by_pv.setdefault(pv, {})[key] = None

    def drop(self, key: str) -> None:
        """This key waits no more."""
        pvs, _ = self._waiters.pop(key, ((), None))
        for pv in pvs:
            keys = self._by_pv.get(pv, {})
            keys.pop(key, None)
            if not keys:
                self._by_pv.pop(pv, None)

    def wake(self, pv: str) -> None:
        """Calls everybody who waits for this PV, once; they wait for nothing any more."""
        for key in list(self._by_pv.get(pv, ())):
            _, wake = self._waiters.get(key, ((), None))
            self.drop(key)
            if wake is not None:
                wake()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiters)
