"""Coroutines as tests, and Hypothesis without a clock: the machine may be busy."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.coroutines import pytest_pyfunc_call  # noqa: F401 - a hook
from tests.reconcilers.rig import Rig

settings.register_profile("reconcilers", deadline=None, print_blob=True)
settings.load_profile("reconcilers")


@pytest.fixture
def rig() -> Rig:
    """All loops, on an empty share."""
    return Rig()
