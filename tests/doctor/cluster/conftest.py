"""Patients: one a module."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from devcluster.cluster import DevCluster
from tests.doctor.cluster.patient import Patient
from tests.e2e.conftest import account, api  # noqa: F401


@pytest.fixture(scope="module")
def patient(cluster: DevCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    """A namespace for all tests of a module, healthy so far."""
    made = Patient(cluster, f"ill-{secrets.token_hex(4)}", tmp_path_factory.mktemp("patient"))
    cluster.kubectl("create", "namespace", made.name)
    yield made
    made.forget()
    cluster.kubectl("delete", "namespace", made.name, "--wait=false")
