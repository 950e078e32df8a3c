"""Coroutines as tests."""

from __future__ import annotations

from tests.coroutines import pytest_pyfunc_call  # noqa: F401 - a hook
