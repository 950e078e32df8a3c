"""Whole kinds, read page by page."""

from __future__ import annotations

import asyncio

from berth.kube.client import Api
from berth.kube.errors import Gone
from berth.kube.kind import R
from berth.objects.roles import ClusterRole, ClusterRoleBinding
from berth.objects.trust import Grade, proven

_PAGE = 500


async def read_all(api: Api, resource: type[R], *, fields: str = "", most: int | None = None) -> list[R]:
    """Every object of a kind, in all namespaces; most: about so many are enough. KubeError."""
    for last_try in (False, True):
        items: list[R] = []
        token = ""
        try:
            while True:
                page = await api.list_page(resource, fields=fields, limit=_PAGE, continue_token=token)
                items += page.items
                token = page.continue_token
                if not token or (most is not None and len(items) >= most):
                    return items
        except Gone:  # too slow for the server's memory of that version
            if last_try:
                raise
    return items


async def read_proven(api: Api, grade: Grade) -> frozenset[str]:
    """The accounts that are provisioners' by their bindings: see trust. KubeError."""
    return proven(*await asyncio.gather(read_all(api, ClusterRoleBinding), read_all(api, ClusterRole)), grade)
