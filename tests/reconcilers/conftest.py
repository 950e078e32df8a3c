"""Hypothesis without a clock: the machine may be busy."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("reconcilers", deadline=None, print_blob=True)
settings.load_profile("reconcilers")
