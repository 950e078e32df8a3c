"""All objects of a kind through a watch that begins with them: the API server answers from its cache, piece by piece,
and neither it nor etcd ever holds the whole list (https://kep.k8s.io/3157).

Servers differ: 1.34 and later have it, from 1.27 on it can be switched on, and all of these refuse it where it is off
(422). Servers before 1.27 refuse it, too, and something in between may pass over what it does not know: then an
ordinary watch begins, which never says that this was all. Whatever does not end as it should is NoWatchList, and lists
in pages are there for it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from berth.kube.client import Api
from berth.kube.errors import Forbidden, Gone, KubeError, Silent, StatusError, TooManyRequests, Unauthorized
from berth.kube.kind import R
from berth.kube.lines import WatchEvent

PATIENCE = 10.0
"""Seconds without a word, before the end of the list, after which nobody believes in it. The server's cache may lag
behind etcd; it says so itself after 3 s."""
_TIMEOUT = 300.0
"""Seconds within which all must have come."""


class NoWatchList(KubeError):  # noqa: N818
    """The server does not do this, as far as can be told."""


async def watch_list(
    api: Api, resource: type[R], *, namespace: str = "", labels: str = "", fields: str = ""
) -> AsyncGenerator[WatchEvent[R], None]:
    """All objects, as ADDED, and what changes meanwhile; the last event is a BOOKMARK at the version of all that.

    NoWatchList; Unreachable and the StatusErrors that a list would have met just the same.
    """
    stream = api.watch(
        resource,
        resource_version="",
        namespace=namespace,
        labels=labels,
        fields=fields,
        timeout=_TIMEOUT,
        silence=PATIENCE,
        initial=True,
    )
    try:
        async with aclosing(stream):
            async for event in stream:
                if event.type == "BOOKMARK" and not event.ends_initial:
                    raise NoWatchList("the API server began an ordinary watch")
                yield event
                if event.ends_initial:
                    return
    except Silent as error:
        raise NoWatchList(f"the API server did not say that this was all: {error}") from error
    except (Gone, Unauthorized, Forbidden, TooManyRequests):
        raise
    except StatusError as error:
        raise NoWatchList(str(error)) from error
    raise NoWatchList("the API server ended the watch before it had said that this was all")
