"""What commands that work on a cluster have in common: how to reach it, and what its refusals become."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from berth import __version__
from berth.cli.ending import run
from berth.kube.config import load
from berth.kube.errors import KubeError
from berth.kube.manifest import ManifestApi
from berth.operations.apply import Applied
from berth.texts.text import Language, Text

T = TypeVar("T")

_PATIENCE = 3.0
"""Seconds for a question whose answer only makes another one more exact."""

_WORDS = {
    "created": Text("created", "已创建"),
    "changed": Text("changed", "已更新"),
    "unchanged": Text("unchanged", "无变化"),
    "removed": Text("removed", "已删除"),
    "kept": Text("is there already, and stays as it is", "已存在，保持原样"),
    "default": Text("is the default class now", "已设为默认 StorageClass"),
    "no default": Text("no longer is the default", "不再是默认 StorageClass"),
}


def on_cluster(job: Callable[[ManifestApi], Awaitable[T]], *, kubeconfig: str, context: str, lang: Language) -> T:
    """Does the job and answers its result. Ends the process with one sentence when it can't be done."""

    async def do() -> T:
        async with ManifestApi(load(kubeconfig, context=context), user_agent=f"berth/{__version__}") as api:
            return await job(api)

    return run(do(), lang)


def release_of(kubeconfig: str, context: str) -> tuple[str, tuple[int, int]] | None:
    """The cluster at hand and its release of Kubernetes; None where there is none, or it does not answer soon."""

    async def ask() -> tuple[str, tuple[int, int]]:
        config = load(kubeconfig, context=context)
        async with asyncio.timeout(_PATIENCE), ManifestApi(config, user_agent=f"berth/{__version__}") as api:
            return config.cluster.server, await api.version()

    try:
        return asyncio.run(ask())
    except (KubeError, TimeoutError):
        return None


def applied_line(done: Applied, lang: Language) -> str:
    """What became of one object, in a line."""
    return f"{done.kind} {done.key} {_WORDS[done.what].said(lang)}"
