"""One leader among many replicas, by a Lease (coordination.k8s.io/v1)."""

from __future__ import annotations

from collections.abc import Callable

from berth.kube.client import Api
from berth.kube.outcome import Note


class LeadershipLost(Exception):  # noqa: N818
    """Somebody else may lead now; whoever gets this stops working at once."""


class Election:
    """One candidate for one lock. acquire, then hold for as long as the work goes on, then release."""

    def __init__(
        self,
        api: Api,
        *,
        name: str,
        namespace: str,
        identity: str,
        post: Callable[[Note], None],
        lease_seconds: float = 15.0,
        renew_deadline: float = 10.0,
        retry_period: float = 2.0,
        on_change: Callable[[bool], None] | None = None,
    ) -> None: ...

    @property
    def is_leader(self) -> bool:
        """Whether this candidate leads, as far as it knows."""
        raise NotImplementedError

    @property
    def holder(self) -> str:
        """Who holds the lock, as last seen; empty: nobody."""
        raise NotImplementedError

    async def acquire(self) -> None:
        """Returns once this candidate leads; waits for other holders, old releases' locks, and the API server."""
        raise NotImplementedError

    async def hold(self) -> None:
        """Renews for ever; raises LeadershipLost when it could not in time. Start it as soon as acquire has returned.
        """
        raise NotImplementedError

    async def release(self) -> None:
        """Gives the lock back if it is held, so that the next candidate takes over at once. For the end, after all
        work.
        """
        raise NotImplementedError


def lock_name(provisioner: str) -> str:
    """The name of a provisioner's lock: its own with `/` as `-`, as the reference provisioners do."""
    return provisioner.replace("/", "-")
