"""What users do: file claims and delete them, as fast as a few of them at once can."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from benchmarks.rig import CLASS
from berth.kube.client import Api
from berth.objects.kinds import ClaimObject, ClaimSpec, Meta, Resources

AT_ONCE = 8
"""Enough to keep the API server busy, few enough not to drown everybody else in the queue for it."""


async def file_claims(api: Api, namespace: str, count: int) -> None:
    """Files so many claims, one after another and AT_ONCE side by side."""
    await side_by_side((partial(api.create, claim_to_file(namespace, number)) for number in range(count)), AT_ONCE)


async def delete_claims(api: Api, namespace: str, count: int) -> None:
    """Deletes what file_claims filed."""
    await side_by_side(
        (partial(api.delete, ClaimObject, _name(number), namespace=namespace) for number in range(count)), AT_ONCE
    )


def deadline_for(count: int) -> float:
    """Seconds that so many claims may take at any one step: a tenth of the speed that is asked for, and a minute."""
    return 60 + count / 20


async def side_by_side(calls: Iterable[Callable[[], Awaitable[object]]], at_once: int) -> None:
    """Awaits every call, at_once of them at a time."""
    waiting = iter(calls)

    async def work() -> None:
        for call in waiting:
            await call()

    async with asyncio.TaskGroup() as group:
        for number in range(at_once):
            group.create_task(work(), name=f"load {number}")


def claim_to_file(namespace: str, number: int) -> ClaimObject:
    """What a user files."""
    return ClaimObject(
        metadata=Meta(name=_name(number), namespace=namespace),
        spec=ClaimSpec(
            storageClassName=CLASS, accessModes=["ReadWriteMany"], resources=Resources(requests={"storage": "1Gi"})
        ),
    )


def _name(number: int) -> str:
    return f"claim-{number:05}"
