"""Each test of an API server's answers runs against the one in memory and against the real one."""

from __future__ import annotations

import secrets

import pytest

from berth.kube.manifest import ManifestApi
from tests.coroutines import pytest_pyfunc_call  # noqa: F401 - a hook
from tests.fake_api.api import FakeApi
from tests.kube.support import config_of


@pytest.fixture(params=["fake", "real"])
def api(request: pytest.FixtureRequest) -> ManifestApi:
    """A client of the API server in memory, then of the dev cluster's."""
    return FakeApi() if request.param == "fake" else ManifestApi(config_of(request.getfixturevalue("cluster")))


@pytest.fixture
def home(request: pytest.FixtureRequest, api: ManifestApi) -> str:
    """A fresh namespace."""
    if not isinstance(api, FakeApi):
        return str(request.getfixturevalue("namespace"))
    name = f"test-{secrets.token_hex(4)}"
    api.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name
