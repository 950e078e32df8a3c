"""Reads a controller's /metrics and /readyz, from outside."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

# Straight to the address: a proxy that the environment names has no business here.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

_FOLLOWING = ("list", "watch")


def get(url: str) -> str | None:
    """What is served there; None while nobody answers with success."""
    try:
        with _direct.open(url, timeout=5) as answer:
            text: str = answer.read().decode()
            return text
    except (OSError, urllib.error.URLError):
        return None


def requests_made(metrics: str) -> dict[str, int]:
    """Requests to the API server by `verb resource`, without those that follow it (list, watch) and the lease's."""
    made: dict[str, int] = {}
    for sample in _samples(metrics, "rest_client_requests_total"):
        verb, resource = sample.labels["method"], sample.labels["resource"]
        if verb not in _FOLLOWING and resource != "leases":
            made[f"{verb} {resource}"] = made.get(f"{verb} {resource}", 0) + int(sample.value)
    return made


def nfs_calls(metrics: str) -> int:
    """Calls to NFS servers so far."""
    return int(sum(sample.value for sample in _samples(metrics, "berth_nfs_calls_total")))


def is_leading(metrics: str) -> bool:
    """Whether the process holds its lock."""
    return any(sample.value == 1 for sample in _samples(metrics, "leader_election_master_status"))


def _samples(metrics: str, name: str) -> Iterator[Sample]:
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            if sample.name == name:
                yield sample
