"""What a server exports, as `showmount -e` would tell: for a class whose path is not among it."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Iterable

from berth.nfs import MOUNTD, PORTMAPPER, PORTMAPPER_PORT, Resolver, RpcError, Unresolved, connected, mount, portmapper
from berth.volumes.share import ShareAddress

_DEADLINE = 1.5


async def exported_by(address: ShareAddress) -> tuple[str, ...]:
    """The paths that the server of a share exports; empty where it does not tell."""
    resolver = Resolver(deadline=_DEADLINE)
    try:
        async with asyncio.timeout(_DEADLINE):
            host = (await resolver.addresses(address.server))[0]
            port = address.mountport or await _port_of_mountd(host)
            if not port:
                return ()
            async with connected(host, port, MOUNTD) as mountd:
                return tuple(each.path for each in await mount.exports(mountd))
    except (TimeoutError, RpcError, Unresolved, IndexError):
        return ()
    finally:
        await resolver.aclose()


async def _port_of_mountd(host: str) -> int:
    async with connected(host, PORTMAPPER_PORT, PORTMAPPER) as asked:
        return await portmapper.port_of(asked, *MOUNTD)


def meant_by(path: str, exported: Iterable[str]) -> str:
    """The exported path that one may have meant: one that is spelled nearly so, or the only one that there is."""
    known = list(exported)
    near = difflib.get_close_matches(path, known, n=1, cutoff=0.6)
    return near[0] if near else known[0] if len(known) == 1 else ""
